/* SPDX-License-Identifier: MIT */
/* /drip: numbytes bytes spread over a duration; the waits between the pieces add up to it. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/support/ask.h"

#define PROBLEM "Content-Type: application/problem+json"

static const struct ask cases[] = {
    {.line = "GET /drip",
     .status = 200,
     .fields = {"Content-Type: application/octet-stream", "Content-Length: 10"},
     .answer = "**********"},
    {.line = "GET /drip?numbytes=3&duration=0", .status = 200, .answer = "***"},
    {.line = "GET /drip?numbytes=%33&duration=1s", .status = 200, .answer = "***"},
    {.line = "GET /drip?numbytes=1&duration=10", .status = 200, .answer = "*"},
    {.line = "GET /drip?&numbytes=2&&duration=0&", .status = 200, .answer = "**"},
    {.line = "GET /drip?numbytes=2&duration=0&code=503", .status = 503, .answer = "**"},
    {.line = "GET /drip?numbytes=2&duration=0&code=%32%30%31&delay=10", .status = 201, .answer = "**"},
    {.line = "GET /drip?numbytes=2&duration=0&code=204",
     .status = 204,
     .fields = {"!Content-Length"},
     .answer = ""},
    {.line = "GET /drip?numbytes=2&code=304", .status = 304, .answer = ""},
    {.line = "HEAD /drip?numbytes=2&code=404", .status = 404, .fields = {"Content-Length: 2"}, .answer = ""},
    {.line = "GET /drip?code=199", .status = 400, .fields = {PROBLEM}, .within = "from 200 to 599"},
    {.line = "GET /drip?code=600", .status = 400, .fields = {PROBLEM}},
    {.line = "GET /drip?code=", .status = 400, .fields = {PROBLEM}},
    {.line = "GET /drip?delay=10.001", .status = 400, .fields = {PROBLEM}, .within = "delay must be"},
    {.line = "GET /drip?delay=-1", .status = 400, .fields = {PROBLEM}},
    {.line = "GET /drip?other=1&numbytes=2",
     .status = 400,
     .fields = {PROBLEM},
     .within = "numbytes, duration, delay"},
    {.line = "GET /drip?Numbytes=2", .status = 400, .fields = {PROBLEM}},
    {.line = "GET /drip?numbytes=2&x", .status = 400, .fields = {PROBLEM}},
    {.line = "GET /drip?=2", .status = 400, .fields = {PROBLEM}},
    {.line = "HEAD /drip?numbytes=10m", .status = 200, .fields = {"Content-Length: 10485760"}, .answer = ""},
    {.line = "GET /drip?numbytes=0", .status = 400, .fields = {PROBLEM}, .within = "from 1 to 10m"},
    {.line = "GET /drip?numbytes=10485761", .status = 400, .fields = {PROBLEM}},
    {.line = "GET /drip?numbytes=", .status = 400, .fields = {PROBLEM}},
    {.line = "GET /drip?numbytes=%3", .status = 400, .fields = {PROBLEM}},
    {.line = "GET /drip?numbytes=+3", .status = 400, .fields = {PROBLEM}},
    {.line = "GET /drip?duration=10.001", .status = 400, .fields = {PROBLEM}, .within = "at most 10 s"},
    {.line = "GET /drip?duration=fast", .status = 400, .fields = {PROBLEM}},
    {.line = "POST /drip", .status = 405, .fields = {"Allow: GET, HEAD"}},
    {.line = "GET /drip/", .status = 404},
};

Test(handler_drip, answers)
{
    ASK_ALL(cases);
}

static const struct {
    const char *query;
    uint64_t bytes;
    uint64_t ms;
    unsigned waits_least;
} paces[] = {
    {"", 10, 2000, 9},
    {"?numbytes=1&duration=1", 1, 1000, 1},
    {"?numbytes=7&duration=1", 7, 1000, 6},
    {"?numbytes=100&duration=10", 100, 10000, 99},
    {"?numbytes=100000&duration=100ms", 100000, 100, 5},
    {"?numbytes=3&duration=3ms", 3, 3, 1},
    {"?numbytes=50&duration=0", 50, 0, 0},
};

/* Reads the rest of the answer; the sum of the waits. `*count` is how many there were. */
static uint64_t read_on(struct drive *drive, unsigned *count)
{
    uint64_t waited = 0;
    for (*count = 0; (drive->transcript->wants & WANT_WAIT) != 0; ++*count) {
        waited += session_wait_ms(&drive->session);
        drive_enter(drive);
        session_resume(&drive->session, drive->context);
        while (drive_send(drive, SIZE_MAX) > 0) {
        }
        drive_leave(drive);
    }
    return waited;
}

Test(handler_drip, waits_add_up_to_the_duration)
{
    struct harness harness;
    harness_init(&harness, ASK_HELD_LIMIT);
    for (size_t i = 0; i < sizeof paces / sizeof paces[0]; i++) {
        struct drive drive;
        struct transcript t;
        struct answer answer;
        unsigned count;
        char head[96];
        int length = snprintf(head, sizeof head, "GET /drip%s HTTP/1.1\r\nHost: h\r\n\r\n", paces[i].query);
        drive_init(&drive, &harness, &t, REFUSAL_NOT);
        drive_pass(&drive, (struct span){.data = head, .length = (size_t)length});
        cr_expect_gt(t.length, 0, "%s: the head does not wait", paces[i].query);
        uint64_t waited = read_on(&drive, &count);
        struct span rest = transcript_span(&t);
        cr_expect_null(answer_next(&rest, false, &answer));
        cr_expect(answer.complete && answer.body.length == paces[i].bytes, "%s", paces[i].query);
        cr_expect_eq(waited, paces[i].ms, "%s: waits %llu ms", paces[i].query, (unsigned long long)waited);
        cr_expect_geq(count, paces[i].waits_least, "%s: in %u pieces", paces[i].query, count);
        drive_deinit(&drive);
        cr_expect(t.problem[0] == '\0', "%s", t.problem);
        transcript_free(&t);
    }
    harness_deinit(&harness);
}

/* The delay comes before the head, and the duration behind it. */
Test(handler_drip, waits_before_the_head)
{
    struct harness harness;
    struct drive drive;
    struct transcript t;
    unsigned count;
    harness_init(&harness, ASK_HELD_LIMIT);
    drive_init(&drive, &harness, &t, REFUSAL_NOT);
    drive_pass(&drive,
               SPAN_LITERAL("GET /drip?numbytes=2&delay=300ms&duration=1 HTTP/1.1\r\nHost: h\r\n\r\n"));
    cr_expect_eq(t.length, 0, "the head waits");
    cr_expect_eq(session_wait_ms(&drive.session), 300);
    cr_expect_eq(read_on(&drive, &count), 1300);
    cr_expect_eq(count, 3);
    drive_deinit(&drive);
    transcript_free(&t);
    harness_deinit(&harness);
}
