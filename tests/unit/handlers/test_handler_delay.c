/* SPDX-License-Identifier: MIT */
/* /delay/{time}: the answer of /plaintext after that time, which the session asks its driver for. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/support/ask.h"

#define PROBLEM "Content-Type: application/problem+json"

static const struct ask cases[] = {
    {.line = "GET /delay/0",
     .status = 200,
     .fields = {"Content-Type: text/plain"},
     .answer = "Hello, World!"},
    {.line = "GET /delay/0.2", .status = 200, .fields = {"Content-Length: 13"}, .answer = "Hello, World!"},
    {.line = "PUT /delay/200ms", .body = "x", .status = 200, .answer = "Hello, World!"},
    {.line = "HEAD /delay/1", .status = 200, .fields = {"Content-Length: 13"}, .answer = ""},
    {.line = "GET /delay/10", .status = 200},
    {.line = "GET /delay/10.001", .status = 400, .fields = {PROBLEM}, .within = "at most 10 s"},
    {.line = "GET /delay/1m", .status = 400, .fields = {PROBLEM}},
    {.line = "GET /delay/-1", .status = 400, .fields = {PROBLEM}},
    {.line = "GET /delay/.5", .status = 400, .fields = {PROBLEM}},
    {.line = "GET /delay/1h", .status = 400, .fields = {PROBLEM}},
    {.line = "GET /delay/", .status = 404},
    {.line = "GET /delay/1/1", .status = 404},
};

Test(handler_delay, answers)
{
    ASK_ALL(cases);
}

static const struct {
    const char *time;
    uint64_t ms; /* 0: it does not wait */
} waits[] = {
    {"0", 0},     {"0ms", 0},    {"1ms", 1},     {"200ms", 200},
    {"0.2", 200}, {"0.0001", 1}, {"1.5s", 1500}, {"10s", 10000},
};

Test(handler_delay, waits)
{
    struct harness harness;
    harness_init(&harness, ASK_HELD_LIMIT);
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        struct drive drive;
        struct transcript t;
        char head[64];
        int length = snprintf(head, sizeof head, "GET /delay/%s HTTP/1.1\r\nHost: h\r\n\r\n", waits[i].time);
        drive_init(&drive, &harness, &t, REFUSAL_NOT);
        drive_pass(&drive, (struct span){.data = head, .length = (size_t)length});
        cr_expect_eq(t.wants, waits[i].ms > 0 ? WANT_WAIT : WANT_READ, "%s: wants %u", waits[i].time,
                     t.wants);
        if (t.wants == WANT_WAIT) {
            cr_expect_eq(session_wait_ms(&drive.session), waits[i].ms, "%s", waits[i].time);
            cr_expect(session_wait_take(&drive.session));
            cr_expect_eq(t.length, 0, "%s: answered before its time", waits[i].time);
        }
        drive_deinit(&drive);
        cr_expect(t.problem[0] == '\0', "%s", t.problem);
        transcript_free(&t);
    }
    harness_deinit(&harness);
}
