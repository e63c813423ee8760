/* SPDX-License-Identifier: MIT */
/* The budget of bytes: its limit to the byte, the sixteenth above it, and the slots' shares. */
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
        struct shared *shared = shared_new(1, LIMIT);
        struct budget budget = {.shared = shared, .slot = &shared->slots[0]};
        cr_assert(budget_take(budget, cases[i].held, BUDGET_MUST_KEEP));
        cr_expect_eq(budget_take(budget, cases[i].bytes, cases[i].need), cases[i].taken, "row %zu", i);
        uint64_t held = cases[i].held + (cases[i].taken ? cases[i].bytes : 0);
        cr_expect_eq(atomic_load(&shared->held), held, "row %zu", i);
        cr_expect_eq(atomic_load(&shared->slots[0].held), held, "row %zu", i);
        budget_give(budget, held);
        cr_expect_eq(atomic_load(&shared->held), 0);
        cr_expect_eq(atomic_load(&shared->slots[0].held), 0);
        shared_free(shared);
    }
}

/* One limit for all, and each slot answers for what was taken in its name. */
Test(budget, slots)
{
    struct shared *shared = shared_new(2, LIMIT);
    struct budget one = {.shared = shared, .slot = &shared->slots[0]};
    struct budget two = {.shared = shared, .slot = &shared->slots[1]};
    cr_expect(budget_take(one, 1000, BUDGET_MAY_REFUSE));
    cr_expect(!budget_take(two, 601, BUDGET_MAY_REFUSE));
    cr_expect(budget_take(two, 600, BUDGET_MAY_REFUSE));
    cr_expect_eq(atomic_load(&shared->slots[0].held), 1000);
    cr_expect_eq(atomic_load(&shared->slots[1].held), 600);
    budget_give(one, 1000);
    cr_expect_eq(atomic_load(&shared->held), 600);
    cr_expect_eq(atomic_load(&shared->slots[0].held), 0);
    shared_free(shared);
}

Test(budget, tight_from_fifteen_sixteenths_on)
{
    struct shared *shared = shared_new(1, LIMIT);
    struct budget budget = {.shared = shared, .slot = &shared->slots[0]};
    budget_take(budget, 1499, BUDGET_MAY_REFUSE);
    cr_expect(!budget_tight(budget));
    cr_expect(budget_tight_with(budget, 1));
    budget_take(budget, 1, BUDGET_MAY_REFUSE);
    cr_expect(budget_tight(budget));
    shared_free(shared);
}

Test(budget, a_copy_is_paid_for)
{
    static const char value[1000] = "kept";
    struct shared *shared = shared_new(1, LIMIT);
    struct budget budget = {.shared = shared, .slot = &shared->slots[0]};
    char *copy = budget_copy(budget, value, sizeof value, BUDGET_MAY_REFUSE);
    cr_assert_not_null(copy);
    cr_expect_arr_eq(copy, value, sizeof value);
    cr_expect_eq(atomic_load(&shared->held), sizeof value);
    cr_expect_null(budget_copy(budget, value, sizeof value, BUDGET_MAY_REFUSE));
    cr_expect_eq(atomic_load(&shared->held), sizeof value);
    budget_free(budget, copy, sizeof value);
    cr_expect_eq(atomic_load(&shared->held), 0);
    shared_free(shared);
}
