/* SPDX-License-Identifier: MIT */
/* When the timers of a session begin anew. A timeout within a body: a 408 only where nothing of an answer was sent or is to be
 * sent; behind that, bytes of a 408 would be taken for something else. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "tests/unit/support/transcript.h"

enum { LETTERS = 150000 };

struct row {
    const char *name;
    const char *head;
    size_t letters; /* of the body that come behind the head */
    bool sends;     /* the client reads what there is before the timeout */
    bool answered;  /* with 408, as the last that comes */
    enum close_mode close_mode;
};

#define POST(length) "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: " length "\r\n\r\n"
#define PLAIN        "GET /plaintext HTTP/1.1\r\nHost: h\r\n\r\n"
#define EXPECTING    "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"

static const struct row rows[] = {
    {"no body", POST("5"), 0, true, true, CLOSE_LINGERING},
    {"a part of a body", POST("5"), 3, true, true, CLOSE_LINGERING},
    {"behind an answer that was sent", PLAIN POST("5"), 3, true, true, CLOSE_LINGERING},
    {"behind an interim answer that was sent", EXPECTING, 3, true, true, CLOSE_LINGERING},
    {"behind an answer that is not sent", PLAIN POST("5"), 3, false, false, CLOSE_ABORT},
    {"behind an interim answer that is not sent", EXPECTING, 3, false, false, CLOSE_ABORT},
    {"within an answer that was sent in part", POST("200000"), LETTERS, true, false, CLOSE_ABORT},
    {"within an answer that is not sent", POST("200000"), LETTERS, false, false, CLOSE_ABORT},
};

static void time_out(struct drive *drive)
{
    drive_enter(drive);
    session_timeout(&drive->session, drive->context);
    while (drive_send(drive, SIZE_MAX) > 0) {
    }
    drive_leave(drive);
}

static struct span input_of(const struct row *row)
{
    size_t head = strlen(row->head);
    char *input = malloc(head + row->letters);
    cr_assert_not_null(input);
    memcpy(input, row->head, head);
    memset(input + head, 'x', row->letters);
    return (struct span){.data = input, .length = head + row->letters};
}

static void check(const struct row *row)
{
    struct harness harness;
    struct transcript t;
    struct drive drive;
    struct span input = input_of(row);
    harness_init(&harness, 16 << 20);
    drive_init(&drive, &harness, &t, REFUSAL_NOT);
    drive_enter(&drive);
    drive_feed(&drive, input);
    while (row->sends && drive_send(&drive, SIZE_MAX) > 0) {
    }
    drive_leave(&drive);
    size_t before = t.length;
    cr_expect_eq(t.timer, TIMER_BODY, "%s: timer %d", row->name, (int)t.timer);
    time_out(&drive);
    struct span last = transcript_span(&t);
    last = (struct span){.data = last.data + before, .length = last.length - before};
    bool answered = last.length > 12 && memcmp(last.data, "HTTP/1.1 408", 12) == 0;
    cr_expect_eq(answered, row->answered, "%s: %.*s", row->name, (int)last.length, last.data);
    cr_expect(row->answered || last.length == 0, "%s: %zu bytes", row->name, last.length);
    cr_expect_eq(t.wants, WANT_CLOSE, "%s: wants %u", row->name, t.wants);
    cr_expect_eq(t.close_mode, row->close_mode, "%s: close mode %d", row->name, (int)t.close_mode);
    drive_deinit(&drive);
    cr_expect_str_empty(t.problem, "%s: %s", row->name, t.problem);
    transcript_free(&t);
    harness_deinit(&harness);
    free((char *)input.data);
}

Test(session_timeout, within_a_body)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check(&rows[i]);
    }
}

/* What came in a pass, and whether the timer began anew in it. */
static void check_timer(struct drive *drive, struct span piece, size_t sends, enum timer timer, bool restarts,
                        const char *what)
{
    drive_enter(drive);
    if (piece.length > 0) {
        drive_feed(drive, piece);
    }
    drive_send(drive, sends);
    drive_leave(drive);
    cr_expect_eq(drive->session.timer, timer, "%s: timer %d", what, (int)drive->session.timer);
    cr_expect_eq(session_timer_take(&drive->session), restarts, "%s: restarts", what);
}

Test(session_timeout, progress)
{
    struct harness harness;
    struct transcript t;
    struct drive drive;
    harness_init(&harness, 16 << 20);
    drive_init(&drive, &harness, &t, REFUSAL_NOT);
    check_timer(&drive, TEXT("PO"), 0, TIMER_HEADER, true, "the first bytes of a head");
    check_timer(&drive, TEXT("ST /echo HTTP/1.1\r\nHost: h\r\n"), 0, TIMER_HEADER, false, "more of the head");
    check_timer(&drive, TEXT("Content-Length: 5\r\n\r\n"), 0, TIMER_BODY, true, "its end");
    check_timer(&drive, TEXT("he"), 0, TIMER_BODY, true, "a part of the body");
    check_timer(&drive, TEXT(""), 0, TIMER_BODY, false, "nothing");
    check_timer(&drive, TEXT("llo"), SIZE_MAX, TIMER_IDLE, true, "all of it, answered");
    check_timer(&drive, TEXT("GET /bytes/100000 HTTP/1.1\r\nHost: h\r\n\r\n"), 0, TIMER_BODY, true,
                "an answer that is not sent");
    check_timer(&drive, TEXT(""), 0, TIMER_BODY, false, "none of it is sent");
    check_timer(&drive, TEXT(""), 1000, TIMER_BODY, true, "a part of it is sent");
    check_timer(&drive, TEXT(""), 1, TIMER_BODY, true, "a byte of it is sent");
    drive_deinit(&drive);
    cr_expect_str_empty(t.problem, "%s", t.problem);
    transcript_free(&t);
    harness_deinit(&harness);
}
