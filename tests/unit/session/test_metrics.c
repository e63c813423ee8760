/* SPDX-License-Identifier: MIT */
/* The page of counters: summed over all owners, buckets that are cumulative, and no page without memory for it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/session/metrics.h"

static struct scoreboard *scoreboard_of_three(void)
{
    struct scoreboard *scoreboard = scoreboard_new(3, 1 << 20);
    atomic_store(&scoreboard->counters_claimed, 2);
    return scoreboard;
}

static char *page_of(struct scoreboard *scoreboard)
{
    struct service service = {.scoreboard = scoreboard, .mode = "test", .version = "1"};
    struct budget budget = {.scoreboard = scoreboard, .counters = &scoreboard->counters[0]};
    struct buffer *page = NULL;
    cr_assert_eq(metrics_write(&page, &service, budget), 0);
    struct span span = buffer_span(page);
    char *text = strndup(span.data, span.length);
    buffer_free(&page, budget);
    return text;
}

static double value_of(const char *page, const char *name)
{
    const char *at = strstr(page, name);
    cr_assert_not_null(at, "%s is not on the page", name);
    return strtod(at + strlen(name), NULL);
}

Test(metrics, slots_that_are_lent_add_up)
{
    struct scoreboard *scoreboard = scoreboard_of_three();
    for (size_t i = 0; i < 3; i++) {
        counters_add(&scoreboard->counters[i].answers[0], 10 + i);
        counters_add(&scoreboard->counters[i].sent, 1000);
        counters_add(&scoreboard->counters[i].refusals[REFUSAL_QUEUE], i);
        counters_add(&scoreboard->counters[i].busy_us, 1500000);
    }
    char *page = page_of(scoreboard);
    cr_expect_eq(value_of(page, "echod_requests_total{mode=\"test\",code=\"2xx\"} "), 21);
    cr_expect_eq(value_of(page, "\nechod_sent_bytes_total{mode=\"test\"} "), 2000);
    cr_expect_eq(value_of(page, "reason=\"queue\"} "), 1);
    cr_expect_float_eq(value_of(page, "busy_seconds_total{mode=\"test\"} "), 3, 1e-9);
    free(page);
    scoreboard_free(scoreboard);
}

/* In microseconds; each bucket holds its bound. */
static const struct {
    uint64_t us;
    int bucket;
} durations[] = {{0, 0}, {500, 0}, {501, 1}, {1000, 1}, {10000000, 10}, {10000001, 11}, {UINT32_MAX, 11}};

Test(metrics, each_duration_has_its_bucket)
{
    for (size_t i = 0; i < sizeof durations / sizeof durations[0]; i++) {
        static struct counters counters;
        counters = (struct counters){0};
        metrics_count_duration(&counters, durations[i].us);
        for (int bucket = 0; bucket < COUNTERS_BUCKETS; bucket++) {
            cr_expect_eq(atomic_load(&counters.durations[bucket]), bucket == durations[i].bucket,
                         "%llu us, bucket %d", (unsigned long long)durations[i].us, bucket);
        }
        cr_expect_eq(atomic_load(&counters.duration_us), durations[i].us);
    }
}

/* Requests answered in one pass are not timed: they are in the first bucket. */
Test(metrics, buckets_are_cumulative)
{
    struct scoreboard *scoreboard = scoreboard_of_three();
    counters_add(&scoreboard->counters[0].answers[0], 5);
    metrics_count_duration(&scoreboard->counters[0], 2000);
    metrics_count_duration(&scoreboard->counters[1], 20000000);
    char *page = page_of(scoreboard);
    cr_expect_eq(value_of(page, "le=\"0.0005\"} "), 3);
    cr_expect_eq(value_of(page, "le=\"0.0025\"} "), 4);
    cr_expect_eq(value_of(page, "le=\"10\"} "), 4);
    cr_expect_eq(value_of(page, "le=\"+Inf\"} "), 5);
    free(page);
    scoreboard_free(scoreboard);
}

Test(metrics, without_budget_there_is_no_page)
{
    struct scoreboard *scoreboard = scoreboard_new(1, 64);
    struct service service = {.scoreboard = scoreboard, .mode = "test", .version = "1"};
    struct budget budget = {.scoreboard = scoreboard, .counters = &scoreboard->counters[0]};
    struct buffer *page = NULL;
    cr_expect_eq(metrics_write(&page, &service, budget), -ENOBUFS);
    cr_expect_null(page);
    cr_expect_eq(atomic_load(&scoreboard->held), 0);
    scoreboard_free(scoreboard);
}
