/* SPDX-License-Identifier: MIT */
/* /healthz and /readyz in each state of the server. */
#include <criterion/criterion.h>

#include "tests/unit/support/ask.h"

#define PROBLEM "Content-Type: application/problem+json"
#define ALLOW   "Allow: GET, HEAD, OPTIONS"

static const struct ask serving[] = {
    {.line = "GET /healthz", .status = 200, .fields = {"Content-Type: text/plain"}},
    {.line = "HEAD /healthz", .status = 200, .answer = ""},
    {.line = "POST /healthz", .status = 405, .fields = {ALLOW}},
    {.line = "OPTIONS /healthz",
     .status = 204,
     .fields = {ALLOW, "!Content-Length", "!Content-Type"},
     .answer = ""},
    {.line = "OPTIONS /readyz", .status = 204, .fields = {ALLOW}, .answer = ""},
    {.line = "GET /readyz", .status = 200, .fields = {"Content-Type: text/plain"}},
    {.line = "HEAD /readyz", .status = 200, .answer = ""},
    {.line = "POST /readyz", .status = 405, .fields = {ALLOW}},
    {.line = "OPTIONS /healthz/", .status = 404},
    {.line = "GET /healthz/", .status = 404},
};

static const struct ask full[] = {
    {.line = "GET /healthz", .status = 200},
    {.line = "GET /readyz", .status = 503, .fields = {PROBLEM}, .within = "full"},
    {.line = "HEAD /readyz", .status = 503, .answer = ""},
    {.line = "OPTIONS /healthz", .status = 204, .fields = {ALLOW}, .answer = ""},
    {.line = "OPTIONS /readyz", .status = 503, .fields = {PROBLEM, ALLOW}, .within = "full"},
};

static const struct ask draining[] = {
    {.line = "GET /healthz", .status = 200, .close = true},
    {.line = "GET /readyz", .status = 503, .fields = {PROBLEM}, .within = "draining", .close = true},
    {.line = "HEAD /readyz", .status = 503, .answer = "", .close = true},
    {.line = "OPTIONS /healthz", .status = 204, .fields = {ALLOW}, .answer = "", .close = true},
    {.line = "OPTIONS /readyz",
     .status = 503,
     .fields = {PROBLEM, ALLOW},
     .within = "draining",
     .close = true},
};

Test(handler_health, each_state)
{
    struct harness harness;
    harness_init(&harness, ASK_HELD_LIMIT);
    ASK_ALL_OF(&harness, serving)
    atomic_store(&harness.scoreboard->full, true);
    ASK_ALL_OF(&harness, full)
    atomic_store(&harness.scoreboard->draining, true);
    ASK_ALL_OF(&harness, draining)
    atomic_store(&harness.scoreboard->full, false);
    ASK_ALL_OF(&harness, draining)
    harness_deinit(&harness);
}
