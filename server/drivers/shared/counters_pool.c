/* SPDX-License-Identifier: MIT */
/* A stack of numbers. */
#include "server/drivers/shared/counters_pool.h"

#include <errno.h>
#include <stdlib.h>

struct slot *slot_lend(struct shared *shared, size_t index)
{
    if (index >= atomic_load_explicit(&shared->slots_lent, memory_order_relaxed)) {
        atomic_store_explicit(&shared->slots_lent, index + 1, memory_order_release);
    }
    return &shared->slots[index];
}

int slot_pool_init(struct slot_pool *pool, struct shared *shared, size_t first)
{
    *pool = (struct slot_pool){.shared = shared, .fresh = first};
    pool->returned = calloc(shared->slot_count, sizeof(*pool->returned));
    return pool->returned == NULL ? -ENOMEM : 0;
}

void slot_pool_deinit(struct slot_pool *pool)
{
    free(pool->returned);
}

struct slot *slot_pool_take(struct slot_pool *pool)
{
    if (pool->returned_count > 0) {
        return &pool->shared->slots[pool->returned[--pool->returned_count]];
    }
    return pool->fresh < pool->shared->slot_count ? slot_lend(pool->shared, pool->fresh++) : NULL;
}

void slot_pool_give(struct slot_pool *pool, const struct slot *slot)
{
    pool->returned[pool->returned_count++] = (uint32_t)(slot - pool->shared->slots);
}
