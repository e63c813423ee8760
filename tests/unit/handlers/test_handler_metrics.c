/* SPDX-License-Identifier: MIT */
/* /metrics: the page of common/session/metrics.c with the content type that Prometheus asks for. */
#include <criterion/criterion.h>

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
