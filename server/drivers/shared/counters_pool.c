/* SPDX-License-Identifier: MIT */
/* A stack of indices. */
#include "server/drivers/shared/counters_pool.h"

#include <errno.h>
#include <stdlib.h>

struct counters *counters_claim(struct scoreboard *scoreboard, size_t index)
{
    if (index >= atomic_load_explicit(&scoreboard->counters_claimed, memory_order_relaxed)) {
        atomic_store_explicit(&scoreboard->counters_claimed, index + 1, memory_order_release);
    }
    return &scoreboard->counters[index];
}

int counters_pool_init(struct counters_pool *pool, struct scoreboard *scoreboard, size_t first)
{
    *pool = (struct counters_pool){.scoreboard = scoreboard, .fresh = first};
    pool->returned = calloc(scoreboard->counters_count, sizeof(*pool->returned));
    return pool->returned == NULL ? -ENOMEM : 0;
}

void counters_pool_deinit(struct counters_pool *pool)
{
    free(pool->returned);
}

struct counters *counters_pool_take(struct counters_pool *pool)
{
    if (pool->returned_count > 0) {
        return &pool->scoreboard->counters[pool->returned[--pool->returned_count]];
    }
    return pool->fresh < pool->scoreboard->counters_count ? counters_claim(pool->scoreboard, pool->fresh++)
                                                          : NULL;
}

void counters_pool_give(struct counters_pool *pool, const struct counters *counters)
{
    pool->returned[pool->returned_count++] = (uint32_t)(counters - pool->scoreboard->counters);
}
