/* SPDX-License-Identifier: MIT */
/* The bytes held for clients, all connections together: taken before memory is allocated, given back after. */
#ifndef ECHOD_COMMON_BASE_BUDGET_H
#define ECHOD_COMMON_BASE_BUDGET_H

#include "common/base/scoreboard.h"

/* A share of the budget, with the counters that answer for it if its process dies. Any thread, each with its own. */
struct budget {
    struct scoreboard *scoreboard;
    struct counters *counters;
};

enum budget_need {
    BUDGET_MAY_REFUSE, /* the request can still be refused with a 503: the limit holds to the byte */
    BUDGET_MUST_KEEP,  /* bytes that are read or promised already: up to a sixteenth above the limit */
};

/* Takes `bytes`; false if that would pass the limit: then nothing was taken. */
bool budget_take(struct budget budget, uint64_t bytes, enum budget_need need);
void budget_give(struct budget budget, uint64_t bytes);

/* A copy on the heap whose size is taken from the budget, or NULL for want of either. */
void *budget_copy(struct budget budget, const void *value, size_t size, enum budget_need need);
/* Frees such a copy. */
void budget_free(struct budget budget, void *copy, size_t size);

/* Whether the limit would nearly be reached (15/16) with `more` bytes: who can wait should take no more. */
static inline bool budget_tight_with(struct budget budget, uint64_t more)
{
    uint64_t limit = budget.scoreboard->held_limit;
    return atomic_load_explicit(&budget.scoreboard->held, memory_order_relaxed) + more >= limit - limit / 16;
}

static inline bool budget_tight(struct budget budget)
{
    return budget_tight_with(budget, 0);
}

#endif
