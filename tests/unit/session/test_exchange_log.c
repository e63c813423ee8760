/* SPDX-License-Identifier: MIT */
/* When the line of a request is written: with others within LOG_WAIT_US, and at once while the server drains. */
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
