/* SPDX-License-Identifier: MIT */
/* When the line of a request is written: with others within LOG_WAIT_US, and at once while the server drains. Which requests
 * leave one, and with which id. */
#include <criterion/criterion.h>

#include "tests/unit/support/log_sink.h"

static const struct span plain = SPAN_LITERAL("GET /plaintext HTTP/1.1\r\nHost: h\r\n\r\n");

static uint64_t now_us;

static uint64_t clock_of_the_test(void)
{
    return now_us;
}

struct logged {
    struct harness harness;
    struct log_sink sinks[2];
    struct transcript transcript;
    struct drive drive;
};

static void set_up(struct logged *l)
{
    now_us = 1000000;
    harness_init(&l->harness, 1 << 20);
    log_sink_attach(l->sinks, &l->harness, LOG_TEXT);
    for (int i = 0; i < 2; i++) {
        l->harness.contexts[i].clock_us = clock_of_the_test;
    }
    drive_init(&l->drive, &l->harness, &l->transcript, REFUSAL_NOT);
}

/* Of the context that answers: they take turns. */
static uint64_t lines_of_next(struct logged *l)
{
    const struct log_sink *sink = &l->sinks[l->harness.passes % 2];
    drive_pass(&l->drive, plain);
    return sink->lines;
}

static void take_down(struct logged *l)
{
    drive_deinit(&l->drive);
    cr_expect_str_empty(l->transcript.problem, "%s", l->transcript.problem);
    cr_expect_null(log_sink_wrong(l->sinks));
    log_sink_detach(&l->harness);
    transcript_free(&l->transcript);
    harness_deinit(&l->harness);
}

Test(exchange_log, a_line_waits_for_others)
{
    struct logged l;
    set_up(&l);
    for (int i = 0; i < 4; i++) {
        cr_expect_eq(lines_of_next(&l), 0, "line %d", i);
        now_us += LOG_WAIT_US / 4;
    }
    cr_expect_eq(lines_of_next(&l), 3, "with the two before it in this context");
    take_down(&l);
}

Test(exchange_log, no_line_waits_in_a_drain)
{
    struct logged l;
    set_up(&l);
    atomic_store(&l.harness.scoreboard->draining, true);
    cr_expect_eq(lines_of_next(&l), 1);
    take_down(&l);
}

static bool sent(const struct logged *l, const char *text)
{
    struct span all = transcript_span(&l->transcript);
    return memmem(all.data, all.length, text, strlen(text)) != NULL;
}

Test(exchange_log, each_request_has_an_id_of_its_own)
{
    struct logged l;
    set_up(&l);
    drive_pass(&l.drive, TEXT("GET /plaintext HTTP/1.1\r\nHost: h\r\n\r\nGET /status/204 HTTP/1.1\r\nHost: "
                              "h\r\n\r\nBAD\r\n\r\n"));
    cr_expect(sent(&l, "X-Request-Id: sink-7-1\r\n"));
    cr_expect(sent(&l, "X-Request-Id: sink-7-2\r\n"));
    cr_expect(sent(&l, "X-Request-Id: sink-7-3\r\n"), "one that was not understood");
    take_down(&l);
}

/* How many lines it leaves when the drain timeout cuts the connection off behind that input. */
static uint64_t lines_of_cut_off(struct span input)
{
    struct logged l;
    uint64_t lines = 0;
    set_up(&l);
    if (input.length > 0) {
        drive_pass(&l.drive, input);
    }
    session_cut_off(&l.drive.session, &l.harness.contexts[0]);
    for (int i = 0; i < 2; i++) {
        l.sinks[i].log.flush(&l.sinks[i].log);
        lines += l.sinks[i].lines;
    }
    take_down(&l);
    return lines;
}

Test(exchange_log, what_is_cut_off)
{
    cr_expect_eq(lines_of_cut_off(TEXT("")), 0, "a connection without a request");
    cr_expect_eq(lines_of_cut_off(TEXT("GET /plain")), 1, "within a head");
    cr_expect_eq(lines_of_cut_off(TEXT("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhe")), 1,
                 "within a body");
    cr_expect_eq(lines_of_cut_off(TEXT("GET /plaintext HTTP/1.1\r\nHost: h\r\n\r\n")), 1, "behind an answer");
    cr_expect_eq(lines_of_cut_off(TEXT("GET /plaintext HTTP/1.1\r\nHost: h\r\n\r\nGET /")), 2,
                 "behind an answer, within a head");
}
