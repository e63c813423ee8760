/* SPDX-License-Identifier: MIT */
/* One total for the server, and one for each owner of counters. */
#include "common/base/budget.h"

#include <stdlib.h>
#include <string.h>

bool budget_take(struct budget budget, uint64_t bytes, enum budget_need need)
{
    struct scoreboard *scoreboard = budget.scoreboard;
    uint64_t limit = scoreboard->held_limit + (need == BUDGET_MUST_KEEP ? scoreboard->held_limit / 16 : 0);
    uint64_t before = atomic_fetch_add_explicit(&scoreboard->held, bytes, memory_order_relaxed);
    if (before + bytes > limit) {
        atomic_fetch_sub_explicit(&scoreboard->held, bytes, memory_order_relaxed);
        return false;
    }
    counters_add(&budget.counters->held, bytes);
    return true;
}

void budget_give(struct budget budget, uint64_t bytes)
{
    atomic_fetch_sub_explicit(&budget.scoreboard->held, bytes, memory_order_relaxed);
    counters_add(&budget.counters->held, (uint64_t)0 - bytes);
}

void *budget_copy(struct budget budget, const void *value, size_t size, enum budget_need need)
{
    if (!budget_take(budget, size, need)) {
        return NULL;
    }
    void *copy = malloc(size);
    if (copy == NULL) {
        budget_give(budget, size);
        return NULL;
    }
    return memcpy(copy, value, size);
}

void budget_free(struct budget budget, void *copy, size_t size)
{
    budget_give(budget, size);
    free(copy);
}
