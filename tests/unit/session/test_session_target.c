/* SPDX-License-Identifier: MIT */
/* The target of a request that waits stays in memory, for debuggers: transcript.c overwrites what the head was read into. */
#include <criterion/criterion.h>

#include "common/session/exchange/exchange.h"
#include "tests/unit/support/log_sink.h"

#define REST     " HTTP/1.1\r\nHost: h\r\n"
#define X64      "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define LONG     "/delay/1?" X64 X64 X64 X64
#define LONG_MAX "/delay/1?" X64 X64 X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct row {
    const char *name;
    const char *pieces[3];
    const char *target;
} rows[] = {
    {"in one piece", {"GET /delay/1?a=b" REST "\r\n"}, "/delay/1?a=b"},
    {"in two pieces", {"GET /del", "ay/1?a=b" REST "\r\n"}, "/delay/1?a=b"},
    {"behind another request", {"GET /plaintext" REST "\r\nGET /delay/2" REST "\r\n"}, "/delay/2"},
    {"with the next request behind it", {"GET /delay/1" REST "\r\nGET /delay/2" REST "\r\n"}, "/delay/1"},
    {"a body to come", {"POST /echo?x=1" REST "Content-Length: 5\r\n\r\nab", "c"}, "/echo?x=1"},
    {"a body that is held", {"POST /anything?x=1" REST "Content-Length: 5\r\n\r\n", "abc"}, "/anything?x=1"},
    {"a wait behind a body", {"POST /delay/1" REST "Content-Length: 2\r\n\r\n", "ab"}, "/delay/1"},
    {"work", {"GET /block/1?y" REST "\r\n"}, "/block/1?y"},
    {"an error with a body to come", {"POST /nowhere" REST "Content-Length: 5\r\n\r\n", "abc"}, "/nowhere"},
    {"an absolute target", {"GET http://h/delay/1" REST "\r\n"}, "http://h/delay/1"},
    {"a target that is longer than what is kept", {"GET " LONG REST "\r\n"}, LONG_MAX},
};

/* With the log on, or for a held body, all of the target is kept. */
static void check_row(const struct row *row, struct harness *harness, bool logs)
{
    struct transcript t;
    struct drive drive;
    drive_init(&drive, harness, &t, REFUSAL_NOT);
    for (size_t i = 0; i < 3 && row->pieces[i] != NULL; i++) {
        drive_pass(&drive, (struct span){.data = row->pieces[i], .length = strlen(row->pieces[i])});
    }
    const char *wanted = logs && strcmp(row->target, LONG_MAX) == 0 ? LONG : row->target;
    const struct exchange *x = drive.session.exchange;
    cr_expect_not_null(x, "%s: no exchange", row->name);
    if (x != NULL) {
        struct span target = x->request.target;
        cr_expect(span_equal(target, (struct span){.data = wanted, .length = strlen(wanted)}), "%s: '%.*s'",
                  row->name, (int)target.length, target.data);
    }
    drive_deinit(&drive);
    cr_expect_str_empty(t.problem, "%s: %s", row->name, t.problem);
    transcript_free(&t);
}

static void check_rows(bool logs)
{
    struct harness harness;
    static struct log_sink sinks[2];
    harness_init(&harness, 16 << 20);
    if (logs) {
        log_sink_attach(sinks, &harness, LOG_TEXT);
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_row(&rows[i], &harness, logs);
    }
    if (logs) {
        log_sink_detach(&harness);
    }
    harness_deinit(&harness);
}

Test(session_target, stays)
{
    check_rows(false);
}

Test(session_target, stays_with_the_log_on)
{
    check_rows(true);
}
