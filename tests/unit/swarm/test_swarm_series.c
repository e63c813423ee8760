/* SPDX-License-Identifier: MIT */
/* What happens in an interval stands in its row and in no other; intervals in which nothing happens are rows too. */
#include <criterion/criterion.h>
#include <string.h>

#include "loadtest/swarm/timing/nanoseconds.h"
#include "loadtest/swarm/stats/series.h"

#define MS NANOSECONDS_PER_MILLISECOND

static struct series series; /* its histogram is large */

static void begin(uint64_t interval, uint64_t duration)
{
    memset(&series, 0, sizeof(series));
    cr_assert(series_init(&series, interval * MS, duration * MS));
}

static void settle(enum outcome outcome, uint64_t latency, uint64_t now)
{
    const struct settled settled = {.outcome = outcome, .due = 1000 * MS, .now = (1000 + latency) * MS};
    series_settled(&series, &settled, now * MS);
}

Test(swarm_series, rows)
{
    begin(100, 500);
    series_offered(&series, 0);
    series_offered(&series, 100 * MS - 1);
    settle(OUTCOME_RIGHT, 3, 99);
    series_offered(&series, 100 * MS);
    settle(OUTCOME_LATE, 9, 100);
    settle(OUTCOME_REFUSED, 1, 150);
    settle(OUTCOME_TIMEOUT, 90, 160);
    settle(OUTCOME_READ, 90, 160);
    settle(OUTCOME_RIGHT, 5, 420);
    cr_assert_eq(series_end(&series, 500 * MS), 5);
    const struct series_row *rows = series.rows;
    cr_expect(rows[0].offered == 2 && rows[0].good == 1 && rows[0].late == 0 && rows[0].failed == 0);
    cr_expect(rows[1].offered == 1 && rows[1].good == 0 && rows[1].late == 1 && rows[1].refused == 1 &&
              rows[1].failed == 2);
    cr_expect(rows[2].offered == 0 && rows[2].good == 0 && rows[2].p99 == 0);
    cr_expect(rows[4].good == 1);
    series_deinit(&series);
}

Test(swarm_series, percentiles_are_of_the_row_alone)
{
    begin(100, 300);
    for (uint64_t i = 1; i <= 100; i++) {
        settle(OUTCOME_RIGHT, i, 50);
    }
    for (uint64_t i = 1; i <= 100; i++) {
        settle(OUTCOME_LATE, 1000 + i, 250);
        settle(OUTCOME_TIMEOUT, 90000, 250);
    }
    series_end(&series, 300 * MS);
    cr_expect_float_eq((double)series.rows[0].p50, 50.0 * MS, 0.1 * MS);
    cr_expect_float_eq((double)series.rows[0].p99, 99.0 * MS, 0.1 * MS);
    cr_expect_eq(series.rows[1].p99, 0);
    cr_expect_float_eq((double)series.rows[2].p50, 1050.0 * MS, 2.0 * MS);
    series_deinit(&series);
}

Test(swarm_series, the_last_row_may_be_shorter)
{
    static const struct {
        uint64_t duration;
        uint64_t now;
        size_t rows;
        uint64_t last_end;
    } cases[] = {{500, 500, 5, 500}, {450, 450, 5, 450}, {450, 900, 5, 450}, {500, 320, 4, 320},
                 {500, 300, 3, 300}, {500, 1, 1, 1},     {30, 30, 1, 30}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        begin(100, cases[i].duration);
        size_t rows = series_end(&series, cases[i].now * MS);
        cr_assert_eq(rows, cases[i].rows, "row %zu: %zu", i, rows);
        cr_expect_eq(series_row_end(&series, rows - 1, cases[i].now * MS), cases[i].last_end * MS, "row %zu",
                     i);
        cr_expect_eq(series_end(&series, cases[i].now * MS), rows, "ended twice: row %zu", i);
        series_deinit(&series);
    }
}

Test(swarm_series, what_comes_behind_the_end_is_not_recorded)
{
    begin(100, 200);
    series_offered(&series, 200 * MS);
    settle(OUTCOME_RIGHT, 3, 5000);
    cr_expect_eq(series_end(&series, 5000 * MS), 2);
    cr_expect(series.rows[1].offered == 0 && series.rows[1].good == 0);
    series_deinit(&series);
}

Test(swarm_series, without_intervals_nothing_is_kept)
{
    begin(0, 500);
    series_offered(&series, 0);
    settle(OUTCOME_RIGHT, 3, 5);
    cr_expect_eq(series_end(&series, 500 * MS), 0);
    series_deinit(&series);
}
