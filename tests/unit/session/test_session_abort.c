/* SPDX-License-Identifier: MIT */
/* Answers that go wrong below HTTP: how the connection ends, what is counted, and an answer that stalls. What is sent is
 * in tests/unit/corpus/faults.http, split at every byte. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/support/answer.h"
#include "tests/unit/support/transcript.h"

#define PLAIN       "GET /plaintext HTTP/1.1\r\nHost: h\r\n\r\n"
#define GET(query)  "GET /echo?" query " HTTP/1.1\r\nHost: h\r\n\r\n"
#define POST(query) "POST /echo?" query " HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
#define CHUNK(query) \
    "POST /echo?" query " HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"

enum { HELD_LIMIT = 1 << 20 };

static const struct {
    struct span input;
    enum close_mode close_mode;
    unsigned answers;   /* counted */
    const char *end;    /* of what is sent */
    unsigned fault;     /* its number in fault_names */
    struct span behind; /* pipelined, and dropped */
} rows[] = {
    {TEXT(GET("abort=before")), CLOSE_LINGERING, 0, "", 3, TEXT(PLAIN)},
    {TEXT(POST("abort=before")), CLOSE_LINGERING, 0, "", 3, TEXT(PLAIN)},
    {TEXT(POST("abort=before&status=503")), CLOSE_LINGERING, 0, "", 3, TEXT("")},
    {TEXT(POST("abort=reset")), CLOSE_RESET, 0, "", 4, TEXT(PLAIN)},
    {TEXT(CHUNK("abort=reset")), CLOSE_RESET, 0, "", 4, TEXT(PLAIN)},
    {TEXT(POST("abort=body:2")), CLOSE_LINGERING, 1, "Length: 5\r\n\r\nhe", 5, TEXT(PLAIN)},
    {TEXT(POST("abort=body:0")), CLOSE_LINGERING, 1, "Length: 5\r\n\r\n", 5, TEXT(PLAIN)},
    {TEXT(POST("abort=body:5")), CLOSE_LINGERING, 1, "Length: 5\r\n\r\nhello", 5, TEXT(PLAIN)},
    {TEXT(POST("abort=body:6")), CLOSE_LINGERING, 1, "Length: 5\r\n\r\nhello", 5, TEXT(PLAIN)},
    {TEXT(GET("abort=body:1")), CLOSE_LINGERING, 1, "Length: 0\r\n\r\n", 5, TEXT(PLAIN)},
    {TEXT(CHUNK("abort=body:5")), CLOSE_LINGERING, 1, "chunked\r\n\r\n5\r\nhello", 5, TEXT(PLAIN)},
    {TEXT(CHUNK("abort=body:6")), CLOSE_LINGERING, 1, "5\r\nhello\r\n0\r\n\r\n", 5, TEXT(PLAIN)},
    {TEXT(POST("abort=body:2&status=204")), CLOSE_LINGERING, 1, "\r\n\r\n", 5, TEXT(PLAIN)},
    {TEXT("HEAD /echo?abort=body:2 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"), CLOSE_LINGERING,
     1, "Length: 5\r\n\r\n", 5, TEXT(PLAIN)},
    {TEXT(POST("abort=garbage")), CLOSE_LINGERING, 0, NULL, 7, TEXT(PLAIN)},
};

static uint64_t counted(const struct harness *harness, unsigned fault)
{
    return atomic_load(&harness->scoreboard->rare[0].faults[fault]) +
           atomic_load(&harness->scoreboard->rare[1].faults[fault]);
}

static uint64_t answers(const struct harness *harness)
{
    uint64_t sum = 0;
    for (int i = 0; i < 2; i++) {
        for (int class = 0; class < COUNTERS_CLASSES; class ++) {
            sum += atomic_load(&harness->scoreboard->counters[i].answers[class]);
        }
    }
    return sum;
}

static bool ends_with(struct span text, const char *end)
{
    size_t length = strlen(end);
    return text.length >= length && memcmp(text.data + text.length - length, end, length) == 0;
}

/* Behind a good request, whose answer is sent whole, with all sent at once or late. */
static void check_row(size_t i, struct span before, enum send_pattern send)
{
    struct harness harness;
    struct transcript t;
    char input[1024];
    int length = snprintf(input, sizeof input, "%.*s%.*s%.*s", (int)before.length, before.data,
                          (int)rows[i].input.length, rows[i].input.data, (int)rows[i].behind.length,
                          rows[i].behind.data);
    harness_init(&harness, HELD_LIMIT);
    struct script script = {.input = {input, (size_t)length}, .send = send, .some = 7};
    transcript_run(&harness, &script, &t);
    struct span sent = transcript_span(&t);
    cr_expect(t.problem[0] == '\0', "row %zu: %s", i, t.problem);
    cr_expect(transcript_closed(&t), "row %zu", i);
    cr_expect_eq(t.close_mode, rows[i].close_mode, "row %zu: %d", i, t.close_mode);
    cr_expect_eq(answers(&harness), rows[i].answers + (before.length > 0), "row %zu", i);
    cr_expect_eq(counted(&harness, rows[i].fault), 1, "row %zu", i);
    if (before.length > 0) {
        struct answer answer;
        cr_expect_null(answer_next(&sent, false, &answer), "row %zu", i);
        cr_expect(answer.complete && span_contains(answer.body, "Hello, World!"), "row %zu", i);
    }
    if (rows[i].end == NULL) {
        cr_expect_eq(sent.length, 512, "row %zu: %zu", i, sent.length);
        cr_expect(!span_contains(sent, "HTTP") && !span_contains(sent, "\r\n"), "row %zu", i);
    } else {
        cr_expect(ends_with(sent, rows[i].end), "row %zu: %.*s", i, (int)sent.length, sent.data);
        cr_expect(!span_contains(sent, "Connection: close"), "row %zu", i);
        cr_expect((rows[i].end[0] == '\0') == (sent.length == 0), "row %zu", i);
    }
    transcript_free(&t);
    harness_deinit(&harness);
}

Test(session_abort, ends)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (enum send_pattern send = SEND_ALL; send <= SEND_LAST; send++) {
            check_row(i, TEXT(""), send);
            check_row(i, TEXT(PLAIN), send);
        }
    }
}

struct fixture {
    struct harness harness;
    struct drive drive;
    struct transcript t;
};

static void begin(struct fixture *f, struct span input)
{
    harness_init(&f->harness, HELD_LIMIT);
    drive_init(&f->drive, &f->harness, &f->t, REFUSAL_NOT);
    drive_pass(&f->drive, input);
}

static void end(struct fixture *f)
{
    drive_deinit(&f->drive);
    cr_expect(f->t.problem[0] == '\0', "%s", f->t.problem);
    transcript_free(&f->t);
    harness_deinit(&f->harness);
}

static const struct {
    struct span input;
    const char *end;
} stalls[] = {
    {TEXT(POST("abort=stall")), "Length: 5\r\n\r\n"},
    {TEXT(CHUNK("abort=stall")), "chunked\r\n\r\n"},
    {TEXT(GET("abort=stall")), "Length: 0\r\n"},
    {TEXT(POST("abort=stall&status=204")),
     "echod\r\nDate: " HARNESS_DATE
     "\r\nX-Content-Type-Options: nosniff\r\nContent-Security-Policy: sandbox\r\n"},
    {TEXT("HEAD /echo?abort=stall HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"), "Length: 5\r\n"},
};

/* The head, and then nothing: the client is read, and what it sends is dropped. */
Test(session_abort, stall)
{
    for (size_t i = 0; i < sizeof stalls / sizeof stalls[0]; i++) {
        struct fixture f;
        begin(&f, stalls[i].input);
        cr_expect(ends_with(transcript_span(&f.t), stalls[i].end), "row %zu: %.*s", i, (int)f.t.length,
                  f.t.output);
        cr_expect(f.t.wants == WANT_READ && f.t.timer == TIMER_BODY, "row %zu: %u", i, f.t.wants);
        size_t length = f.t.length;
        session_timer_take(&f.drive.session);
        drive_pass(&f.drive, TEXT(PLAIN));
        cr_expect(!session_timer_take(&f.drive.session), "row %zu: its time begins again", i);
        cr_expect(f.t.length == length && f.t.wants == WANT_READ, "row %zu", i);
        cr_expect_null(f.drive.session.in, "row %zu", i);
        cr_expect(!session_idle(&f.drive.session) && session_drainable(&f.drive.session));
        end(&f);
    }
}

/* The end of the client's side, the drain and the timeout each end it. */
Test(session_abort, the_end_of_a_stall)
{
    for (int how = 0; how < 3; how++) {
        struct fixture f;
        begin(&f, TEXT(POST("abort=stall")));
        atomic_store(&f.harness.scoreboard->draining, how == 1);
        drive_enter(&f.drive);
        switch (how) {
        case 0: session_eof(&f.drive.session, f.drive.context); break;
        case 1: session_drain(&f.drive.session, f.drive.context); break;
        default: session_timeout(&f.drive.session, f.drive.context); break;
        }
        drive_leave(&f.drive);
        cr_expect_eq(f.t.wants, WANT_CLOSE, "%d", how);
        cr_expect_eq(f.t.close_mode, how == 2 ? CLOSE_ABORT : CLOSE_NOW, "%d", how);
        end(&f);
    }
}

/* A client that has ended its side before: there is nothing to wait for. */
Test(session_abort, a_stall_behind_the_end)
{
    struct harness harness;
    struct transcript t;
    struct script script = {.input = TEXT(POST("abort=stall")), .eof = true};
    for (size_t piece = 0; piece < 3; piece++) {
        script.piece = piece;
        harness_init(&harness, HELD_LIMIT);
        transcript_run(&harness, &script, &t);
        cr_expect(transcript_closed(&t) && t.problem[0] == '\0', "%s", t.problem);
        cr_expect(ends_with(transcript_span(&t), "Length: 5\r\n\r\n"));
        transcript_free(&t);
        harness_deinit(&harness);
    }
}

/* While the client takes nothing of the head, and in a drain. */
Test(session_abort, a_stall_that_is_not_read)
{
    struct fixture f;
    harness_init(&f.harness, HELD_LIMIT);
    drive_init(&f.drive, &f.harness, &f.t, REFUSAL_NOT);
    drive_enter(&f.drive);
    drive_feed(&f.drive, TEXT(POST("abort=stall") PLAIN));
    drive_leave(&f.drive);
    cr_expect_eq(f.t.wants, WANT_READ | WANT_WRITE);
    drive_flush(&f.drive);
    cr_expect_eq(f.t.wants, WANT_READ);
    end(&f);
    harness_init(&f.harness, HELD_LIMIT);
    drive_init(&f.drive, &f.harness, &f.t, REFUSAL_NOT);
    atomic_store(&f.harness.scoreboard->draining, true);
    drive_pass(&f.drive, TEXT(POST("abort=stall")));
    cr_expect(ends_with(transcript_span(&f.t), "Length: 5\r\n\r\n"), "the drain changes nothing of the head");
    end(&f);
}

/* A delay comes before the fault, also where the fault replaces the interim answer. */
Test(session_abort, a_delay_comes_first)
{
    static const struct span inputs[] = {
        TEXT(POST("abort=reset&delay=1s")),
        TEXT("POST /echo?abort=reset&delay=1s HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: "
             "100-continue\r\n\r\n"),
    };
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        struct fixture f;
        begin(&f, inputs[i]);
        cr_expect(f.t.length == 0 && f.t.wants == WANT_WAIT, "%zu", i);
        cr_expect_eq(session_wait_ms(&f.drive.session), 1000);
        drive_enter(&f.drive);
        session_resume(&f.drive.session, f.drive.context);
        drive_leave(&f.drive);
        cr_expect(f.t.length == 0 && f.t.wants == WANT_CLOSE && f.t.close_mode == CLOSE_RESET, "%zu", i);
        end(&f);
    }
}

static int looks; /* how often the answers before have not arrived yet */

static size_t left(int socket)
{
    (void)socket;
    return looks == 0 || looks-- == 0 ? 0 : 7;
}

static size_t left_by_a_slow_reader(int socket)
{
    (void)socket;
    return looks == 0 ? 0 : (size_t)looks--;
}

static int wait_for_delivery(struct fixture *f, int most)
{
    int waits = 0;
    unsigned wanted = f->harness.contexts[0].holds_output ? WANT_READ | WANT_WRITE | WANT_WAIT : WANT_WAIT;
    for (; f->t.wants == wanted && waits < most; waits++) {
        cr_expect_eq(session_wait_ms(&f->drive.session), 10);
        drive_enter(&f->drive);
        session_resume(&f->drive.session, f->drive.context);
        drive_leave(&f->drive);
    }
    return waits;
}

/* A reset waits until the answers before it have arrived, wherever the body's end is; when nothing of them arrives, not for ever. */
Test(session_abort, a_reset_waits_for_the_answers_before_it)
{
    static char body[128 * 1024];
    static const int counts[] = {0, 1, 5, 5000};
    snprintf(body, sizeof body,
             "POST /echo?abort=reset HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n");
    memset(body + strlen(body), 'x', sizeof body - strlen(body));
    const struct span inputs[] = {TEXT(POST("abort=reset")), {.data = body, .length = sizeof body}};
    for (size_t i = 0; i < 2 * sizeof counts / sizeof counts[0]; i++) {
        struct fixture f;
        harness_init(&f.harness, HELD_LIMIT);
        f.harness.service.undelivered = left;
        looks = counts[i / 2];
        drive_init(&f.drive, &f.harness, &f.t, REFUSAL_NOT);
        drive_pass(&f.drive, inputs[i % 2]);
        int waits = wait_for_delivery(&f, 2000);
        cr_expect_eq(waits, counts[i / 2] > 1000 ? 1000 : counts[i / 2], "%zu: %d", i, waits);
        cr_expect(f.t.length == 0 && f.t.wants == WANT_CLOSE && f.t.close_mode == CLOSE_RESET, "%zu", i);
        end(&f);
    }
}

Test(session_abort, a_reset_waits_as_long_as_answers_arrive)
{
    struct fixture f;
    harness_init(&f.harness, HELD_LIMIT);
    f.harness.service.undelivered = left_by_a_slow_reader;
    looks = 3000;
    drive_init(&f.drive, &f.harness, &f.t, REFUSAL_NOT);
    drive_pass(&f.drive, TEXT(POST("abort=reset")));
    cr_expect_eq(wait_for_delivery(&f, 4000), 3000);
    cr_expect_eq(f.t.close_mode, CLOSE_RESET);
    end(&f);
}

/* What the driver holds counts, too. */
Test(session_abort, a_reset_waits_for_what_the_driver_holds)
{
    struct fixture f;
    harness_init(&f.harness, HELD_LIMIT);
    drive_init(&f.drive, &f.harness, &f.t, REFUSAL_NOT);
    f.harness.contexts[0].holds_output = f.harness.contexts[1].holds_output = true;
    drive_pass(&f.drive, TEXT(POST("abort=reset")));
    cr_expect_eq(f.t.wants, WANT_READ | WANT_WRITE | WANT_WAIT, "the client may write on");
    cr_expect_eq(wait_for_delivery(&f, 5), 5);
    f.harness.contexts[0].holds_output = f.harness.contexts[1].holds_output = false;
    f.t.wants = session_wants(&f.drive.session, &f.harness.contexts[0]);
    cr_expect_eq(wait_for_delivery(&f, 5), 1);
    cr_expect_eq(f.t.close_mode, CLOSE_RESET);
    end(&f);
}

/* What the server was started with holds where the request says nothing. */
Test(session_abort, defaults)
{
    static const struct span fields[] = {SPAN_LITERAL("X-A: 1"), SPAN_LITERAL("X-B:2")};
    static const struct defaults defaults = {
        .faults = {[FAULT_STATUS] = SPAN_LITERAL("503"), [FAULT_CLOSE] = SPAN_LITERAL("true")},
        .fields = fields,
        .field_count = 2,
    };
    static const struct {
        struct span input;
        const char *within;
        const char *without;
    } cases[] = {
        {TEXT(POST("")), "HTTP/1.1 503 ", "X-Q"},
        {TEXT(POST("")), "X-A: 1\r\nX-B: 2\r\n", "X-Q"},
        {TEXT(POST("status=201")), "HTTP/1.1 201 ", "503"},
        {TEXT(POST("status=404:0")), "HTTP/1.1 200 ", "503"},
        {TEXT(POST("header=X-Q:3")), "X-Q: 3\r\n", "X-A"},
        {TEXT(POST("close=false")), "HTTP/1.1 503 ", "Connection: close"},
        {TEXT("GET /echo HTTP/1.1\r\nHost: h\r\nX-Echo-Status: 202\r\nX-Echo-Header: X-Q:3\r\n\r\n"),
         "HTTP/1.1 202 ", "X-A"},
        {TEXT(PLAIN), "HTTP/1.1 200 ", "X-A"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct harness harness;
        struct transcript t;
        struct script script = {.input = cases[i].input};
        harness_init(&harness, HELD_LIMIT);
        harness.service.defaults = &defaults;
        transcript_run(&harness, &script, &t);
        struct span sent = transcript_span(&t);
        cr_expect(span_contains(sent, cases[i].within), "row %zu: %.*s", i, (int)sent.length, sent.data);
        cr_expect(!span_contains(sent, cases[i].without), "row %zu: %.*s", i, (int)sent.length, sent.data);
        transcript_free(&t);
        harness_deinit(&harness);
    }
}

/* The draw depends on the seed and the numbers of connection and request alone. */
Test(session_abort, shares)
{
    struct fixture f;
    harness_init(&f.harness, HELD_LIMIT);
    f.harness.service.fault_seed = 4711;
    drive_init(&f.drive, &f.harness, &f.t, REFUSAL_NOT);
    for (uint32_t request = 1; request <= 200; request++) {
        size_t before = f.t.length;
        drive_pass(&f.drive, TEXT(POST("status=503:50")));
        bool wanted = fault_draw(4711, HARNESS_CONNECTION, request, FAULT_STATUS) < 5000;
        cr_expect_eq(memcmp(f.t.output + before, "HTTP/1.1 503", 12) == 0, wanted, "request %u", request);
    }
    uint64_t faults = counted(&f.harness, FAULT_STATUS);
    cr_expect(faults > 60 && faults < 140, "%llu", (unsigned long long)faults);
    end(&f);
}

/* The last answer says so, and what is pipelined behind it is dropped. */
Test(session_abort, max_requests)
{
    struct harness harness;
    struct transcript t;
    struct script script = {.input = TEXT(PLAIN POST("") PLAIN PLAIN)};
    harness_init(&harness, HELD_LIMIT);
    harness.service.max_requests = 2;
    transcript_run(&harness, &script, &t);
    cr_expect_eq(answers(&harness), 2);
    cr_expect(transcript_closed(&t) && t.close_mode == CLOSE_LINGERING);
    cr_expect(ends_with(transcript_span(&t), "Connection: close\r\n\r\nhello"));
    transcript_free(&t);
    harness_deinit(&harness);
}

/* In every answer, also to a request that was not understood. */
Test(session_abort, name)
{
    static const struct span inputs[] = {TEXT(PLAIN), TEXT(POST("")), TEXT("GET\r\n\r\n"),
                                         TEXT("GET /anything HTTP/1.1\r\nHost: h\r\n\r\n")};
    for (int cors = 0; cors < 2; cors++) {
        for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
            struct harness harness;
            struct transcript t;
            struct script script = {.input = inputs[i]};
            harness_init(&harness, HELD_LIMIT);
            harness_set_fields(&harness, cors, "blue-1");
            transcript_run(&harness, &script, &t);
            struct span sent = transcript_span(&t);
            cr_expect(span_contains(sent, "\r\nX-Echo-Name: blue-1\r\n"), "%zu", i);
            cr_expect_eq(span_contains(sent, "\r\nAccess-Control-Allow-Origin: *\r\n"), cors, "%zu", i);
            cr_expect(i != 3 || span_contains(sent, "\"hostname\":\"host\",\"name\":\"blue-1\"}"));
            transcript_free(&t);
            harness_deinit(&harness);
        }
    }
}
