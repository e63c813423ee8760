/* SPDX-License-Identifier: MIT */
/* Counters of the scoreboard, claimed by connections that come and go. */
#ifndef ECHOD_SERVER_DRIVERS_SHARED_COUNTERS_POOL_H
#define ECHOD_SERVER_DRIVERS_SHARED_COUNTERS_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/scoreboard.h"

/* Lends the counters of that index for good, or for the first time. The acceptor's thread. */
struct counters *counters_claim(struct scoreboard *scoreboard, size_t index);

/* The counters from `first` on. Those that came back last are lent first: their cache lines are warm, and memory is touched
 * only as far as needed. The owner's lock guards it. */
struct counters_pool {
    struct scoreboard *scoreboard;
    size_t fresh; /* those from here on were never lent */
    uint32_t *returned;
    size_t returned_count;
};

/* 0 or -ENOMEM. */
int counters_pool_init(struct counters_pool *pool, struct scoreboard *scoreboard, size_t first);
void counters_pool_deinit(struct counters_pool *pool);

/* NULL if all are lent. The acceptor's thread. */
struct counters *counters_pool_take(struct counters_pool *pool);
/* Any thread. */
void counters_pool_give(struct counters_pool *pool, const struct counters *counters);

#endif
