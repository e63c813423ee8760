/* SPDX-License-Identifier: MIT */
/* A session on which a header of the PROXY protocol comes first. */
#include <criterion/criterion.h>
#include <sys/socket.h>

#include "tests/unit/support/answer.h"
#include "tests/unit/support/transcript.h"

#define IP        "GET /ip HTTP/1.1\r\nHost: h\r\n\r\n"
#define VERSION_1 "PROXY TCP4 198.51.100.7 192.0.2.9 5000 80\r\n"
#define VERSION_2 "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0C\xC6\x33\x64\x07\xC0\x00\x02\x09\x13\x88\x00\x50"

enum { HELD_LIMIT = 1 << 20 };

struct fixture {
    struct harness harness;
    struct drive drive;
    struct transcript t;
};

static void begin(struct fixture *f, uint64_t held_limit, enum refusal refusing)
{
    struct peer peer = {.family = AF_INET, .address = {192, 0, 2, 1}, .port = 1234, .proxied = 1};
    harness_init(&f->harness, held_limit);
    drive_init(&f->drive, &f->harness, &f->t, refusing);
    session_init(&f->drive.session, HARNESS_CONNECTION, &peer, refusing);
}

static void end(struct fixture *f)
{
    drive_deinit(&f->drive);
    cr_expect(f->t.problem[0] == '\0', "%s", f->t.problem);
    transcript_free(&f->t);
    harness_deinit(&f->harness);
}

static uint64_t bad_headers(const struct fixture *f)
{
    return atomic_load(&f->harness.scoreboard->counters[0].bad_proxy_headers) +
           atomic_load(&f->harness.scoreboard->counters[1].bad_proxy_headers);
}

static const struct {
    struct span input;
    const char *remote;
} good[] = {
    {TEXT(VERSION_1 IP), "198.51.100.7"},
    {TEXT(VERSION_2 IP), "198.51.100.7"},
    {TEXT("PROXY UNKNOWN\r\n" IP), "192.0.2.1"},
};

/* The client's address is that of the header, wherever the bytes are split. */
Test(session_proxy, good)
{
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        for (size_t cut = 0; cut <= good[i].input.length; cut++) {
            struct fixture f;
            struct answer answer;
            begin(&f, HELD_LIMIT, REFUSAL_NOT);
            cr_expect_eq(f.drive.session.timer, TIMER_HEADER);
            if (cut > 0) {
                drive_pass(&f.drive, (struct span){good[i].input.data, cut});
            }
            if (cut < good[i].input.length) {
                drive_pass(&f.drive, (struct span){good[i].input.data + cut, good[i].input.length - cut});
            }
            struct span rest = transcript_span(&f.t);
            cr_expect_null(answer_next(&rest, false, &answer), "row %zu, cut at %zu", i, cut);
            cr_expect(span_contains(answer.body, good[i].remote), "row %zu, cut at %zu: %.*s", i, cut,
                      (int)answer.body.length, answer.body.data);
            cr_expect(session_idle(&f.drive.session) && f.t.timer == TIMER_IDLE);
            size_t length = f.t.length;
            drive_pass(&f.drive, TEXT(IP)); /* a second request needs no header */
            cr_expect_eq(f.t.length, 2 * length, "row %zu, cut at %zu", i, cut);
            cr_expect_eq(bad_headers(&f), 0);
            end(&f);
        }
    }
}

/* Closed without an answer, and counted. */
Test(session_proxy, bad)
{
    static const struct span inputs[] = {
        TEXT(IP),
        TEXT("PROXY TCP4 x y 1 2\r\n" IP),
        TEXT("\r\n\r\n\0\r\nQUIT\n\x21\x11\xFF\xFF"),
    };
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        struct fixture f;
        begin(&f, HELD_LIMIT, REFUSAL_NOT);
        drive_pass(&f.drive, inputs[i]);
        cr_expect(f.t.length == 0 && f.t.wants == WANT_CLOSE && f.t.close_mode == CLOSE_ABORT, "row %zu", i);
        cr_expect_eq(bad_headers(&f), 1, "row %zu", i);
        end(&f);
    }
}

/* Late, or cut off by the end of the client's side. A connection that says nothing just ends. */
Test(session_proxy, incomplete)
{
    static const struct {
        struct span input;
        bool eof;
        uint64_t counted;
    } cases[] = {
        {TEXT("PROXY "), false, 1},
        {TEXT(""), false, 1},
        {TEXT("PROXY "), true, 1},
        {TEXT(""), true, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        begin(&f, HELD_LIMIT, REFUSAL_NOT);
        if (cases[i].input.length > 0) {
            drive_pass(&f.drive, cases[i].input);
            cr_expect(f.t.wants == WANT_READ && f.t.timer == TIMER_HEADER, "row %zu", i);
        }
        drive_enter(&f.drive);
        if (cases[i].eof) {
            session_eof(&f.drive.session, f.drive.context);
        } else {
            session_timeout(&f.drive.session, f.drive.context);
        }
        drive_leave(&f.drive);
        cr_expect(f.t.length == 0 && f.t.wants == WANT_CLOSE, "row %zu", i);
        cr_expect_eq(bad_headers(&f), cases[i].counted, "row %zu", i);
        end(&f);
    }
}

/* The time for it runs from the accept: the first bytes do not restart it. */
Test(session_proxy, one_time_for_all_of_it)
{
    struct fixture f;
    begin(&f, HELD_LIMIT, REFUSAL_NOT);
    session_timer_take(&f.drive.session);
    drive_pass(&f.drive, TEXT("PROXY "));
    cr_expect(!session_timer_take(&f.drive.session));
    drive_pass(&f.drive, TEXT("UNKNOWN\r\nGET"));
    cr_expect(session_timer_take(&f.drive.session), "a request has its own");
    end(&f);
}

/* Nothing was asked: the drain ends it. */
Test(session_proxy, a_drain_ends_it)
{
    struct fixture f;
    begin(&f, HELD_LIMIT, REFUSAL_NOT);
    cr_expect(session_idle(&f.drive.session) && session_drainable(&f.drive.session));
    drive_enter(&f.drive);
    session_drain(&f.drive.session, f.drive.context);
    drive_leave(&f.drive);
    cr_expect(f.t.wants == WANT_CLOSE && f.t.close_mode == CLOSE_NOW);
    cr_expect_eq(bad_headers(&f), 0);
    end(&f);
}

/* A full server reads it, and refuses the request. */
Test(session_proxy, refused)
{
    struct fixture f;
    begin(&f, HELD_LIMIT, REFUSAL_FULL);
    drive_pass(&f.drive, TEXT(VERSION_1 IP));
    cr_expect(f.t.length > 12 && memcmp(f.t.output, "HTTP/1.1 503", 12) == 0);
    cr_expect_eq(bad_headers(&f), 0);
    end(&f);
}
