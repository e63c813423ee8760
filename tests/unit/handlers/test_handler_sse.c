/* SPDX-License-Identifier: MIT */
/* /sse: a stream of events, one each interval; the drain ends it. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/support/ask.h"

#define PROBLEM      "Content-Type: application/problem+json"
#define STREAM       "Content-Type: text/event-stream"
#define EVENT(n, of) "id: " n "\ndata: {\"n\":" n ",\"of\":" of "}\n\n"

static const struct ask cases[] = {
    {.line = "GET /sse?count=2",
     .status = 200,
     .fields = {STREAM, "Cache-Control: no-store", "X-Accel-Buffering: no", "Transfer-Encoding: chunked"},
     .answer = "1c\r\n" EVENT("1", "2") "\r\n1c\r\n" EVENT("2", "2") "\r\n0\r\n\r\n"},
    {.line = "GET /sse?count=1&interval=0",
     .status = 200,
     .answer = "1c\r\n" EVENT("1", "1") "\r\n0\r\n\r\n"},
    {.line = "GET /sse", .status = 200, .within = EVENT("10", "10")},
    {.line = "GET /sse?interval=10s&count=%32", .status = 200, .within = EVENT("2", "2")},
    {.line = "GET /sse?count=10000&interval=0", .status = 200, .within = EVENT("10000", "10000")},
    {.line = "HEAD /sse", .status = 200, .fields = {STREAM, "Transfer-Encoding: chunked"}, .answer = ""},
    {.line = "GET /sse?count=0", .status = 400, .fields = {PROBLEM}, .within = "from 1 to 10000"},
    {.line = "GET /sse?count=10001", .status = 400, .fields = {PROBLEM, "!Cache-Control"}},
    {.line = "GET /sse?count=", .status = 400, .fields = {PROBLEM}},
    {.line = "GET /sse?count=%3", .status = 400, .fields = {PROBLEM}},
    {.line = "GET /sse?interval=10.001", .status = 400, .fields = {PROBLEM}, .within = "at most 10 s"},
    {.line = "GET /sse?interval=x", .status = 400, .fields = {PROBLEM}},
    {.line = "GET /sse?other=1", .status = 400, .fields = {PROBLEM}, .within = "count and interval"},
    {.line = "POST /sse", .status = 405, .fields = {"Allow: GET, HEAD"}},
};

Test(handler_sse, answers)
{
    ASK_ALL(cases);
}

/* HTTP/1.0 knows no chunks: the connection's end is that of the body. */
Test(handler_sse, to_1_0)
{
    struct harness harness;
    struct transcript t;
    struct script script = {
        .input = TEXT("GET /sse?count=2 HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\n")};
    harness_init(&harness, ASK_HELD_LIMIT);
    transcript_run(&harness, &script, &t);
    struct span text = transcript_span(&t);
    const char *end = "Connection: close\r\n\r\n" EVENT("1", "2") EVENT("2", "2");
    cr_expect(transcript_closed(&t) && t.problem[0] == '\0', "%s", t.problem);
    cr_expect(text.length > strlen(end) &&
                  memcmp(text.data + text.length - strlen(end), end, strlen(end)) == 0,
              "%.*s", (int)text.length, text.data);
    transcript_free(&t);
    harness_deinit(&harness);
}

struct fixture {
    struct harness harness;
    struct drive drive;
    struct transcript t;
};

static void begin(struct fixture *f, struct span request)
{
    harness_init(&f->harness, ASK_HELD_LIMIT);
    drive_init(&f->drive, &f->harness, &f->t, REFUSAL_NOT);
    drive_pass(&f->drive, request);
}

static void resume(struct fixture *f)
{
    drive_enter(&f->drive);
    session_resume(&f->drive.session, f->drive.context);
    while (drive_send(&f->drive, SIZE_MAX) > 0) {
    }
    drive_leave(&f->drive);
}

static void end(struct fixture *f)
{
    drive_deinit(&f->drive);
    cr_expect(f->t.problem[0] == '\0', "%s", f->t.problem);
    transcript_free(&f->t);
    harness_deinit(&f->harness);
}

/* The first event at once, then one each interval; nothing behind the last. */
Test(handler_sse, waits)
{
    struct fixture f;
    begin(&f, SPAN_LITERAL("GET /sse?count=3&interval=250ms HTTP/1.1\r\nHost: h\r\n\r\n"));
    cr_expect(span_contains(transcript_span(&f.t), "id: 1\n"));
    for (int i = 2; i <= 3; i++) {
        char id[24];
        snprintf(id, sizeof id, "id: %d\n", i);
        cr_assert_eq(f.t.wants, WANT_WAIT);
        cr_expect_eq(session_wait_ms(&f.drive.session), 250);
        cr_expect(!span_contains(transcript_span(&f.t), id));
        resume(&f);
        cr_expect(span_contains(transcript_span(&f.t), id));
    }
    cr_expect_eq(f.t.wants, WANT_READ);
    cr_expect(session_idle(&f.drive.session));
    end(&f);
}

/* While it waits, and when its next event is due. */
static void drain_it(bool told)
{
    static const char last[] = "event: end\ndata: {\"n\":2,\"of\":3}\n\n\r\n0\r\n\r\n";
    struct fixture f;
    begin(&f, SPAN_LITERAL("GET /sse?count=3 HTTP/1.1\r\nHost: h\r\n\r\n"));
    atomic_store(&f.harness.scoreboard->draining,
                 true); /* alone it ends nothing: connections are still accepted */
    resume(&f);
    cr_expect(!transcript_closed(&f.t) && f.t.wants == WANT_WAIT);
    atomic_store(&f.harness.scoreboard->closing, true);
    if (told) {
        cr_expect(session_drainable(&f.drive.session));
        drive_enter(&f.drive);
        session_drain(&f.drive.session, f.drive.context);
        while (drive_send(&f.drive, SIZE_MAX) > 0) {
        }
        drive_leave(&f.drive);
    } else {
        resume(&f);
    }
    struct span text = transcript_span(&f.t);
    cr_expect(!transcript_closed(&f.t) && session_idle(&f.drive.session), "it may have sent another request");
    cr_expect(text.length > sizeof last &&
                  memcmp(text.data + text.length - (sizeof last - 1), last, sizeof last - 1) == 0,
              "%.*s", (int)text.length, text.data);
    end(&f);
}

Test(handler_sse, a_drain_ends_it)
{
    drain_it(true);
    drain_it(false);
}

/* A client that reads nothing: the events wait for room. */
Test(handler_sse, slow_client)
{
    struct fixture f;
    harness_init(&f.harness, ASK_HELD_LIMIT);
    struct script script = {.input =
                                SPAN_LITERAL("GET /sse?count=10000&interval=0 HTTP/1.1\r\nHost: h\r\n\r\n"),
                            .send = SEND_SOME,
                            .some = 5000};
    transcript_run(&f.harness, &script, &f.t);
    struct span rest = transcript_span(&f.t);
    struct answer answer;
    cr_expect_null(answer_next(&rest, false, &answer));
    cr_expect(answer.complete && span_contains(answer.body, EVENT("10000", "10000")));
    cr_expect_leq(f.t.held_most, 256 * 1024);
    cr_expect(f.t.problem[0] == '\0', "%s", f.t.problem);
    transcript_free(&f.t);
    harness_deinit(&f.harness);
}
