/* SPDX-License-Identifier: MIT */
/* Due times: exact, never early, and counted as they are told. */
#include <criterion/criterion.h>

#include "loadtest/swarm/timing/schedule.h"

#define SECOND UINT64_C(1000000000)

static const uint64_t RATES[] = {1, 3, 7, 1000, 12345, 999999, SCHEDULE_RATE_MAX};

Test(schedule, due_times)
{
    static const struct {
        uint64_t rate;
        uint64_t number;
        uint64_t due;
    } cases[] = {{1, 0, 0},
                 {1, 3, 3 * SECOND},
                 {3, 1, 333333333},
                 {3, 2, 666666666},
                 {3, 3, SECOND},
                 {1000, 1500, SECOND + SECOND / 2},
                 {20000, 1, 50000},
                 {SCHEDULE_RATE_MAX, UINT64_C(36000) * SCHEDULE_RATE_MAX + 1, 36000 * SECOND + 100}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct schedule schedule = {.start = 42, .rate = cases[i].rate};
        cr_expect_eq(schedule_due(&schedule, cases[i].number), 42 + cases[i].due, "row %zu", i);
    }
}

Test(schedule, nothing_is_due_before_the_start)
{
    struct schedule schedule = {.start = 10 * SECOND, .rate = 1000};
    cr_expect_eq(schedule_count(&schedule, 0), 0);
    cr_expect_eq(schedule_count(&schedule, 10 * SECOND - 1), 0);
    cr_expect_eq(schedule_count(&schedule, 10 * SECOND), 1);
}

Test(schedule, a_request_counts_from_when_it_is_due)
{
    for (size_t i = 0; i < sizeof(RATES) / sizeof(RATES[0]); i++) {
        struct schedule schedule = {.start = 5, .rate = RATES[i]};
        for (uint64_t number = 1; number < 3000; number++) {
            uint64_t due = schedule_due(&schedule, number);
            cr_assert_eq(schedule_count(&schedule, due), number + 1, "rate %zu, number %lu", i,
                         (unsigned long)number);
            cr_assert_eq(schedule_count(&schedule, due - 1), number, "rate %zu, number %lu", i,
                         (unsigned long)number);
        }
    }
}

Test(schedule, a_second_holds_as_many_as_the_rate_says)
{
    for (size_t i = 0; i < sizeof(RATES) / sizeof(RATES[0]); i++) {
        struct schedule schedule = {.start = 0, .rate = RATES[i]};
        for (uint64_t second = 1; second < 100; second++) {
            cr_assert_eq(schedule_count(&schedule, second * SECOND - 1), second * RATES[i]);
        }
    }
}
