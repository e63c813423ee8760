/* SPDX-License-Identifier: MIT */
/* --cors: every answer has the fields, a preflight is answered whatever its path; without it nothing is different. */
#include "common/http/cors.h"

#include <criterion/criterion.h>

#include "common/http/request_line.h"
#include "tests/unit/support/ask.h"

#define ORIGIN "Origin: http://pages.example\r\n"
#define METHOD "Access-Control-Request-Method: PUT\r\n"
#define ANY    "Access-Control-Allow-Origin: *"

static const struct ask on[] = {
    {.line = "GET /plaintext", .status = 200, .fields = {ANY, "Access-Control-Expose-Headers: *"}},
    {.line = "GET /plaintext",
     .sent = ORIGIN,
     .status = 200,
     .fields = {ANY, "!Access-Control-Allow-Methods"}},
    {.line = "HEAD /plaintext", .status = 200, .fields = {ANY}},
    {.line = "POST /echo", .body = "hello", .status = 200, .fields = {ANY}, .answer = "hello"},
    {.line = "POST /anything", .body = "hello", .status = 200, .fields = {ANY}},
    {.line = "GET /bytes/3", .status = 200, .fields = {ANY}},
    {.line = "GET /delay/1ms", .status = 200, .fields = {ANY}},
    {.line = "GET /compute/1", .status = 200, .fields = {ANY}},
    {.line = "GET /nowhere", .status = 404, .fields = {ANY}},
    {.line = "GET /status/204", .status = 204, .fields = {ANY}},
    {.line = "NIX /", .status = 501, .fields = {ANY}, .close = true},
    {.line = "GET /plaintext", .sent = "Host: i\r\n", .status = 400, .fields = {ANY}, .close = true},
    {.line = "OPTIONS /echo",
     .sent = ORIGIN METHOD "Access-Control-Request-Headers: x-a\r\n",
     .status = 204,
     .fields = {ANY, "Access-Control-Allow-Methods: " REQUEST_LINE_METHODS,
                "Access-Control-Allow-Headers: *, Authorization", "Access-Control-Max-Age: 86400"},
     .answer = ""},
    {.line = "OPTIONS /status/500", .sent = ORIGIN METHOD, .status = 204},
    {.line = "OPTIONS /nowhere", .sent = ORIGIN METHOD, .status = 204, .fields = {"!Content-Type"}},
    /* A probe's path has the probe's status. */
    {.line = "OPTIONS /healthz",
     .sent = ORIGIN METHOD,
     .status = 204,
     .fields = {ANY, "Allow: GET, HEAD, OPTIONS", "Access-Control-Max-Age: 86400"},
     .answer = ""},
    {.line = "OPTIONS /readyz", .sent = ORIGIN METHOD, .status = 204, .fields = {ANY}},
    {.line = "OPTIONS /readyz", .sent = ORIGIN, .status = 204, .fields = {ANY, "!Access-Control-Max-Age"}},
    {.line = "OPTIONS /plaintext",
     .sent = "origin: x\r\naccess-control-request-METHOD: GET\r\n",
     .status = 204},
    {.line = "OPTIONS /echo", .sent = ORIGIN METHOD, .body = "hello", .status = 204, .answer = ""},
    /* No preflights. */
    {.line = "OPTIONS /echo",
     .sent = ORIGIN,
     .status = 200,
     .fields = {ANY, "!Access-Control-Allow-Methods"}},
    {.line = "OPTIONS /echo", .sent = METHOD, .status = 200, .fields = {"!Access-Control-Max-Age"}},
    {.line = "GET /plaintext", .sent = ORIGIN METHOD, .status = 200, .fields = {"!Access-Control-Max-Age"}},
};

static const struct ask off[] = {
    {.line = "GET /plaintext", .sent = ORIGIN, .status = 200, .fields = {"!Access-Control-Allow-Origin"}},
    {.line = "OPTIONS /status/500",
     .sent = ORIGIN METHOD,
     .status = 500,
     .fields = {"!Access-Control-Allow-Origin", "!Access-Control-Allow-Methods"}},
    {.line = "NIX /", .status = 501, .fields = {"!Access-Control-Allow-Origin"}, .close = true},
};

Test(cors, on)
{
    struct harness harness;
    harness_init(&harness, ASK_HELD_LIMIT);
    harness_set_fields(&harness, true, NULL);
    ASK_ALL_OF(&harness, on)
    harness_deinit(&harness);
}

static const struct ask full[] = {
    {.line = "OPTIONS /healthz", .sent = ORIGIN METHOD, .status = 204, .fields = {ANY}},
    {.line = "OPTIONS /readyz",
     .sent = ORIGIN METHOD,
     .status = 503,
     .fields = {ANY, "Allow: GET, HEAD, OPTIONS", "Access-Control-Max-Age: 86400"},
     .within = "full"},
};

Test(cors, full)
{
    struct harness harness;
    harness_init(&harness, ASK_HELD_LIMIT);
    harness_set_fields(&harness, true, NULL);
    atomic_store(&harness.scoreboard->full, true);
    ASK_ALL_OF(&harness, full)
    harness_deinit(&harness);
}

Test(cors, off)
{
    ASK_ALL(off);
}

/* Each line is whole, and the longest set fits a head's room. */
Test(cors, lines)
{
    struct span sets[] = {cors_fields(), cors_preflight_fields()};
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        struct field field;
        int count = 0;
        while (field_next(&sets[i], &field)) {
            cr_expect(field.name.length > 0 && field.value.length > 0);
            count++;
        }
        cr_expect_eq(count, i == 0 ? 2 : 5);
    }
}
