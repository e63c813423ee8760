/* SPDX-License-Identifier: MIT */
/* Slots of the shared mapping, lent to what comes and goes. */
#ifndef ECHOD_SERVER_DRIVERS_SHARED_COUNTERS_POOL_H
#define ECHOD_SERVER_DRIVERS_SHARED_COUNTERS_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/scoreboard.h"

/* Lends the slot of that index for good, or for the first time. The acceptor's thread. */
struct slot *slot_lend(struct shared *shared, size_t index);

/* The slots from `first` on. The one that came back last is lent first: its cache lines are warm, and memory is touched
 * only as far as needed. The owner's lock guards it. */
struct slot_pool {
    struct shared *shared;
    size_t fresh; /* those from here on were never lent */
    uint32_t *returned;
    size_t returned_count;
};

/* 0 or -ENOMEM. */
int slot_pool_init(struct slot_pool *pool, struct shared *shared, size_t first);
void slot_pool_deinit(struct slot_pool *pool);

/* NULL if all are lent. The acceptor's thread. */
struct slot *slot_pool_take(struct slot_pool *pool);
/* Any thread. */
void slot_pool_give(struct slot_pool *pool, const struct slot *slot);

#endif
