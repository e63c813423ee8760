/* SPDX-License-Identifier: MIT */
/* /metrics: counters summed over all owners, buckets that are cumulative, no page without memory for it, and the content
 * type that Prometheus asks for. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/handlers/routes.h"
#include "tests/unit/support/ask.h"

static const struct ask cases[] = {
    {.line = "GET /metrics",
     .status = 200,
     .fields = {"Content-Type: text/plain; version=0.0.4; charset=utf-8"},
     .within = "\n# TYPE echod_requests_total counter\n"},
    {.line = "HEAD /metrics", .status = 200, .answer = ""},
    {.line = "POST /metrics", .status = 405, .fields = {"Allow: GET, HEAD"}},
};

Test(handler_metrics, answers)
{
    ASK_ALL(cases);
}

/* A request is counted when its answer begins: the page tells of those before it. */
Test(handler_metrics, counts_the_requests_before_it)
{
    static const struct ask before[] = {
        {.line = "GET /status/204", .status = 204},
        {.line = "GET /status/404", .status = 404},
        {.line = "GET /nowhere", .status = 404},
        {.line = "GET /status/500", .status = 500},
    };
    static const struct ask after[] = {
        {.line = "GET /metrics", .status = 200, .within = "{mode=\"test\",code=\"2xx\"} 1\n"},
        {.line = "GET /metrics", .status = 200, .within = "{mode=\"test\",code=\"2xx\"} 2\n"},
        {.line = "GET /metrics", .status = 200, .within = "{mode=\"test\",code=\"4xx\"} 2\n"},
        {.line = "GET /metrics", .status = 200, .within = "{mode=\"test\",code=\"5xx\"} 1\n"},
    };
    struct harness harness;
    harness_init(&harness, ASK_HELD_LIMIT);
    atomic_store(&harness.scoreboard->counters_claimed, 2);
    ASK_ALL_OF(&harness, before)
    ASK_ALL_OF(&harness, after)
    harness_deinit(&harness);
}

static struct scoreboard *scoreboard_of_three(void)
{
    struct scoreboard *scoreboard = scoreboard_new(3, 1 << 20);
    atomic_store(&scoreboard->counters_claimed, 2);
    return scoreboard;
}

/* The response owns its page: response_deinit. */
static struct response respond(struct scoreboard *scoreboard)
{
    struct service service = {.scoreboard = scoreboard, .mode = "test", .version = "1"};
    struct budget budget = {.scoreboard = scoreboard, .counters = &scoreboard->counters[0]};
    struct request request = {.service = &service};
    struct response response;
    response_init(&response, budget);
    metrics_handler.begin(&request, &response);
    return response;
}

static char *page_of(struct scoreboard *scoreboard)
{
    struct response response = respond(scoreboard);
    cr_assert_not(response.failed);
    struct span span = response_text(&response);
    char *text = strndup(span.data, span.length);
    response_deinit(&response);
    return text;
}

static double value_of(const char *page, const char *name)
{
    const char *at = strstr(page, name);
    cr_assert_not_null(at, "%s is not on the page", name);
    return strtod(at + strlen(name), NULL);
}

Test(handler_metrics, slots_that_are_lent_add_up)
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

Test(handler_metrics, connections)
{
    struct scoreboard *scoreboard = scoreboard_of_three();
    atomic_store(&scoreboard->open, 5);
    atomic_store(&scoreboard->lingering, 2);
    char *page = page_of(scoreboard);
    cr_expect_eq(value_of(page, "\nechod_connections_open{mode=\"test\"} "), 5);
    cr_expect_eq(value_of(page, "\nechod_connections_lingering{mode=\"test\"} "), 2);
    free(page);
    scoreboard_free(scoreboard);
}

/* Requests answered in one pass are not timed: they are in the first bucket. */
Test(handler_metrics, buckets_are_cumulative)
{
    struct scoreboard *scoreboard = scoreboard_of_three();
    counters_add(&scoreboard->counters[0].answers[0], 5);
    counters_add_duration(&scoreboard->counters[0], 2000);
    counters_add_duration(&scoreboard->counters[1], 20000000);
    char *page = page_of(scoreboard);
    cr_expect_eq(value_of(page, "le=\"0.0005\"} "), 3);
    cr_expect_eq(value_of(page, "le=\"0.0025\"} "), 4);
    cr_expect_eq(value_of(page, "le=\"10\"} "), 4);
    cr_expect_eq(value_of(page, "le=\"+Inf\"} "), 5);
    free(page);
    scoreboard_free(scoreboard);
}

Test(handler_metrics, without_budget_there_is_no_page)
{
    struct scoreboard *scoreboard = scoreboard_new(1, 64);
    struct response response = respond(scoreboard);
    cr_expect(response.failed);
    cr_expect_null(response.content);
    response_deinit(&response);
    cr_expect_eq(atomic_load(&scoreboard->held), 0);
    scoreboard_free(scoreboard);
}
