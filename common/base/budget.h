/* SPDX-License-Identifier: MIT */
/* The memory budget (--max-buffer-memory): the bytes held for the clients of all connections. They are taken from the
 * budget before memory is allocated, and given back when it is freed. */
#ifndef ECHOD_COMMON_BASE_BUDGET_H
#define ECHOD_COMMON_BASE_BUDGET_H

#include "common/base/scoreboard.h"

/* Access to the budget. The bytes taken also count in `counters->held`, so that they can be given back if the process
 * that owns the counters dies. Two threads may use the budget at once, but only with different counters. */
struct budget {
    struct scoreboard *scoreboard;
    struct counters *counters;
};

enum budget_need {
    BUDGET_MAY_REFUSE, /* for a request that can still be refused with a 503: never exceeds the limit */
    BUDGET_MUST_KEEP,  /* for bytes already read or promised: may exceed the limit by a sixteenth */
};

/* All functions: the thread that owns `budget.counters`. Sizes are in bytes. */

/* Takes `bytes` from the budget. Returns false, having taken nothing, if that would exceed the limit. */
bool budget_take(struct budget budget, uint64_t bytes, enum budget_need need);
/* Gives back `bytes` that this process has taken. */
void budget_give(struct budget budget, uint64_t bytes);

/* Returns a copy of `value` on the heap, with its `size` taken from the budget; NULL if there is no memory or
 * budget. The caller owns the copy and frees it with budget_free. */
void *budget_copy(struct budget budget, const void *value, size_t size, enum budget_need need);
/* Frees a copy that budget_copy has returned (not NULL), and gives back its `size`. */
void budget_free(struct budget budget, void *copy, size_t size);

/* Whether 15/16 of the limit would be reached with `more` bytes. A caller that can wait should then take no more. */
static inline bool budget_tight_with(struct budget budget, uint64_t more)
{
    uint64_t limit = budget.scoreboard->held_limit;
    return atomic_load_explicit(&budget.scoreboard->held, memory_order_relaxed) + more >= limit - limit / 16;
}

/* Whether 15/16 of the limit is reached already. */
static inline bool budget_tight(struct budget budget)
{
    return budget_tight_with(budget, 0);
}

#endif
