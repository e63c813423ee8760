/* SPDX-License-Identifier: MIT */
/* Lends counters of the scoreboard, for good or to connections that come and go. */
#ifndef ECHOD_SERVER_DRIVERS_SHARED_COUNTERS_POOL_H
#define ECHOD_SERVER_DRIVERS_SHARED_COUNTERS_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/scoreboard.h"

/* Returns the counters with this index and marks them as used. The caller lends them to one owner. The counters of a
 * pool are claimed by the pool only. Main thread. */
struct counters *counters_claim(struct scoreboard *scoreboard, size_t index);

/* Lends all counters from an index on. The counters that were returned last are lent first: their cache lines are
 * warm, and no more memory is touched than needed. Several threads may use a pool, under a lock of its owner. */
struct counters_pool {
    struct scoreboard *scoreboard;
    size_t fresh;       /* the counters from this index on were never lent */
    uint32_t *returned; /* a stack of indices */
    size_t returned_count;
};

/* `scoreboard` must outlive the pool. Returns 0, or -ENOMEM, after which there is nothing to undo. Main thread. */
int counters_pool_init(struct counters_pool *pool, struct scoreboard *scoreboard, size_t first);
/* Frees the pool; the counters need not have been returned. Main thread. */
void counters_pool_deinit(struct counters_pool *pool);

/* Returns counters that the caller owns until counters_pool_give; NULL if all are lent. Main thread. */
struct counters *counters_pool_take(struct counters_pool *pool);
/* Gives counters back to the pool, which may lend them again. Any thread. */
void counters_pool_give(struct counters_pool *pool, const struct counters *counters);

#endif
