/* SPDX-License-Identifier: MIT */
/* The budget of bytes: its limit to the byte, the sixteenth above it, and the share of each owner of counters. */
#include <criterion/criterion.h>

#include "common/base/budget.h"

enum { LIMIT = 1600 };

static const struct {
    uint64_t held; /* before */
    uint64_t bytes;
    enum budget_need need;
    bool taken;
} cases[] = {
    {0, 0, BUDGET_MAY_REFUSE, true},
    {0, LIMIT, BUDGET_MAY_REFUSE, true},
    {0, LIMIT + 1, BUDGET_MAY_REFUSE, false},
    {LIMIT, 0, BUDGET_MAY_REFUSE, true},
    {LIMIT, 1, BUDGET_MAY_REFUSE, false},
    {LIMIT - 1, 1, BUDGET_MAY_REFUSE, true},
    {LIMIT, 100, BUDGET_MUST_KEEP, true},
    {LIMIT, 101, BUDGET_MUST_KEEP, false},
    {LIMIT + 100, 1, BUDGET_MUST_KEEP, false},
    {0, LIMIT + 100, BUDGET_MUST_KEEP, true},
    {0, UINT64_MAX / 2, BUDGET_MAY_REFUSE, false},
};

Test(budget, limit)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scoreboard *scoreboard = scoreboard_new(1, LIMIT);
        struct budget budget = {.scoreboard = scoreboard, .counters = &scoreboard->counters[0]};
        cr_assert(budget_take(budget, cases[i].held, BUDGET_MUST_KEEP));
        cr_expect_eq(budget_take(budget, cases[i].bytes, cases[i].need), cases[i].taken, "row %zu", i);
        uint64_t held = cases[i].held + (cases[i].taken ? cases[i].bytes : 0);
        cr_expect_eq(atomic_load(&scoreboard->held), held, "row %zu", i);
        cr_expect_eq(atomic_load(&scoreboard->counters[0].held), held, "row %zu", i);
        budget_give(budget, held);
        cr_expect_eq(atomic_load(&scoreboard->held), 0);
        cr_expect_eq(atomic_load(&scoreboard->counters[0].held), 0);
        scoreboard_free(scoreboard);
    }
}

/* One limit for all, and the counters of each owner say what it has taken. */
Test(budget, counters)
{
    struct scoreboard *scoreboard = scoreboard_new(2, LIMIT);
    struct budget one = {.scoreboard = scoreboard, .counters = &scoreboard->counters[0]};
    struct budget two = {.scoreboard = scoreboard, .counters = &scoreboard->counters[1]};
    cr_expect(budget_take(one, 1000, BUDGET_MAY_REFUSE));
    cr_expect(!budget_take(two, 601, BUDGET_MAY_REFUSE));
    cr_expect(budget_take(two, 600, BUDGET_MAY_REFUSE));
    cr_expect_eq(atomic_load(&scoreboard->counters[0].held), 1000);
    cr_expect_eq(atomic_load(&scoreboard->counters[1].held), 600);
    budget_give(one, 1000);
    cr_expect_eq(atomic_load(&scoreboard->held), 600);
    cr_expect_eq(atomic_load(&scoreboard->counters[0].held), 0);
    scoreboard_free(scoreboard);
}

Test(budget, tight_from_fifteen_sixteenths_on)
{
    struct scoreboard *scoreboard = scoreboard_new(1, LIMIT);
    struct budget budget = {.scoreboard = scoreboard, .counters = &scoreboard->counters[0]};
    budget_take(budget, 1499, BUDGET_MAY_REFUSE);
    cr_expect(!budget_tight(budget));
    cr_expect(budget_tight_with(budget, 1));
    budget_take(budget, 1, BUDGET_MAY_REFUSE);
    cr_expect(budget_tight(budget));
    scoreboard_free(scoreboard);
}

Test(budget, a_copy_is_paid_for)
{
    static const char value[1000] = "kept";
    struct scoreboard *scoreboard = scoreboard_new(1, LIMIT);
    struct budget budget = {.scoreboard = scoreboard, .counters = &scoreboard->counters[0]};
    char *copy = budget_copy(budget, value, sizeof value, BUDGET_MAY_REFUSE);
    cr_assert_not_null(copy);
    cr_expect_arr_eq(copy, value, sizeof value);
    cr_expect_eq(atomic_load(&scoreboard->held), sizeof value);
    cr_expect_null(budget_copy(budget, value, sizeof value, BUDGET_MAY_REFUSE));
    cr_expect_eq(atomic_load(&scoreboard->held), sizeof value);
    budget_free(budget, copy, sizeof value);
    cr_expect_eq(atomic_load(&scoreboard->held), 0);
    scoreboard_free(scoreboard);
}
