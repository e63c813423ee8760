/* SPDX-License-Identifier: MIT */
/* What is in time and what is late, and where each is counted. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "loadtest/swarm/timing/nanoseconds.h"
#include "loadtest/swarm/stats/stats.h"

#define MS NANOSECONDS_PER_MILLISECOND

Test(swarm_stats, a_deadline_counts_from_when_it_was_due)
{
    static const struct {
        uint64_t due;
        uint64_t now;
        uint64_t deadline;
        enum outcome outcome;
    } cases[] = {
        {5 * MS, 5 * MS, MS, OUTCOME_RIGHT},           {5 * MS, 6 * MS, MS, OUTCOME_RIGHT},
        {5 * MS, 6 * MS + 1, MS, OUTCOME_LATE},        {0, UINT64_MAX, MS, OUTCOME_LATE},
        {5 * MS, UINT64_MAX, 0, OUTCOME_RIGHT},        {5 * MS, 4 * MS, MS, OUTCOME_RIGHT},
        {5 * MS, 2005 * MS, 2000 * MS, OUTCOME_RIGHT}, {5 * MS, 2006 * MS, 2000 * MS, OUTCOME_LATE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_expect_eq(outcome_by_deadline(cases[i].due, cases[i].now, cases[i].deadline), cases[i].outcome,
                     "row %zu", i);
    }
}

Test(swarm_stats, late_answers_are_right_answers_but_not_in_time)
{
    struct stats *stats = calloc(1, sizeof(*stats));
    cr_assert_not_null(stats);
    static const struct settled ended[] = {
        {.outcome = OUTCOME_RIGHT, .status = 200, .due = MS, .now = 2 * MS},
        {.outcome = OUTCOME_LATE, .status = 200, .due = MS, .now = 9 * MS},
        {.outcome = OUTCOME_LATE, .status = 200, .due = MS, .now = 11 * MS},
        {.outcome = OUTCOME_REFUSED, .status = 503, .due = MS, .now = 2 * MS},
        {.outcome = OUTCOME_TIMEOUT, .due = MS, .now = 2 * MS, .why = "no whole answer in time"},
    };
    for (size_t i = 0; i < sizeof(ended) / sizeof(ended[0]); i++) {
        stats_begin(stats, MS, 0, MS);
        stats_settle(stats, &ended[i]);
    }
    cr_expect_eq(stats->outcomes[OUTCOME_RIGHT], 1);
    cr_expect_eq(stats->outcomes[OUTCOME_LATE], 2);
    cr_expect_eq(stats->statuses[200], 3);
    cr_expect_eq(stats_errors(stats), 1);
    cr_expect_eq(stats_unfinished(stats), 0);
    cr_expect(stats->latency.count == 3 && stats->latency.most == 10 * MS);
    cr_expect(stats->late.count == 2 && stats->late.least == 8 * MS);
    cr_expect_str_eq(stats->first_error, "timeout: no whole answer in time");
    free(stats);
}

Test(swarm_stats, each_outcome_has_a_name_of_its_own)
{
    for (unsigned i = 0; i < OUTCOME_TOTAL; i++) {
        for (unsigned j = 0; j < i; j++) {
            cr_expect_str_neq(outcome_name((enum outcome)i), outcome_name((enum outcome)j));
        }
    }
    cr_expect(outcome_is_answer(OUTCOME_LATE) && outcome_is_right(OUTCOME_LATE) &&
              !outcome_is_right(OUTCOME_REFUSED));
    cr_expect_lt(OUTCOME_LATE, OUTCOME_FIRST_ERROR);
}
