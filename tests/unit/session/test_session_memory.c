/* SPDX-License-Identifier: MIT */
/* What a session holds for a client that writes and does not read: at least a mebibyte while the budget lasts, never more
 * than the budget allows, and nothing in the end. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/support/answer.h"
#include "tests/unit/support/transcript.h"

enum {
    MEBIBYTE = 1024 * 1024,
    LONGER = MEBIBYTE + MEBIBYTE / 2, /* than what is read before anything is sent */
    AMPLE = 256 * MEBIBYTE,
    TINY = 64 * 1024,
};

/* What a client writes: `head`, then `unit` again and again, to `length` bytes in all. */
struct stream {
    const char *name;
    const char *head;
    const char *unit;
};

#define FIVE_CHUNKS                                                                                          \
    "5\r\nhello\r\n5\r\nhello\r\n5\r\nhello\r\n5\r\nhello\r\n40\r\n0123456789012345678901234567890123456789" \
    "012345678901234567890123\r\n"

static const struct stream streams[] = {
    {"Content-Length", "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4000000\r\n\r\n", "x"},
    {"chunked", "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", "1000\r\n\x1\r\n"},
    {"small chunks", "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", FIVE_CHUNKS},
    {"small posts", "", "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"},
    {"small chunked posts", "",
     "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"},
    {"gets", "", "GET /plaintext HTTP/1.1\r\nHost: h\r\n\r\n"},
    {"gets of long answers", "", "GET / HTTP/1.1\r\nHost: h\r\n\r\n"},
    {"requests that are held", "", "POST /anything HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"},
    {"a body that is dropped", "POST /status/200 HTTP/1.1\r\nHost: h\r\nContent-Length: 4000000\r\n\r\n",
     "x"},
};

/* `unit` with \x1 replaced by 4096 letters; on the heap, `length` bytes. */
static char *stream_bytes(const struct stream *stream, size_t length)
{
    size_t unit = strlen(stream->unit);
    char *expanded = calloc(1, unit + 4096);
    char *bytes = malloc(length);
    cr_assert(expanded != NULL && bytes != NULL);
    const char *mark = strchr(stream->unit, '\x1');
    size_t before = mark == NULL ? unit : (size_t)(mark - stream->unit);
    memcpy(expanded, stream->unit, before);
    if (mark != NULL) {
        memset(expanded + before, 'y', 4096);
        memcpy(expanded + before + 4096, mark + 1, unit - before - 1);
        unit += 4095;
    }
    size_t at = strlen(stream->head);
    memcpy(bytes, stream->head, at);
    for (; at < length; at++) {
        bytes[at] = expanded[(at - strlen(stream->head)) % unit];
    }
    free(expanded);
    return bytes;
}

static void harness_new(struct harness *harness, uint64_t limit)
{
    harness_init(harness, limit);
    harness->service.max_body_size = 64 * MEBIBYTE;
}

/* Writes without reading, in pieces, as long as the session wants to read; then reads all that comes. */
static void write_then_read(struct harness *harness, struct span input, size_t piece,
                            struct transcript *transcript)
{
    struct drive drive;
    drive_init(&drive, harness, transcript, REFUSAL_NOT);
    while (transcript->taken < input.length && (transcript->wants & WANT_READ) != 0) {
        size_t left = input.length - transcript->taken;
        size_t step = left < piece ? left : piece;
        drive_enter(&drive);
        drive_feed(&drive, (struct span){.data = input.data + transcript->taken, .length = step});
        drive_leave(&drive);
        transcript->taken += step;
    }
    while ((transcript->wants & WANT_WRITE) != 0) {
        drive_enter(&drive);
        drive_send(&drive, 10000);
        drive_leave(&drive);
    }
    drive_deinit(&drive);
}

Test(session_memory, a_mebibyte_is_read_before_anything_is_sent)
{
    static const size_t pieces[] = {1000, 65536};
    struct harness harness;
    harness_new(&harness, AMPLE);
    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++) {
        char *bytes = stream_bytes(&streams[i], MEBIBYTE);
        struct script direct = {.input = {.data = bytes, .length = MEBIBYTE}, .piece = 65536};
        struct transcript expected;
        transcript_run(&harness, &direct, &expected);
        cr_expect_eq(expected.taken, MEBIBYTE, "%s", streams[i].name);
        for (size_t j = 0; j < sizeof pieces / sizeof pieces[0]; j++) {
            struct transcript t;
            write_then_read(&harness, direct.input, pieces[j], &t);
            cr_expect(t.taken == MEBIBYTE, "%s in pieces of %zu: stalls after %zu bytes", streams[i].name,
                      pieces[j], t.taken);
            cr_expect(t.problem[0] == '\0', "%s: %s", streams[i].name, t.problem);
            cr_expect(span_equal(transcript_span(&t), transcript_span(&expected)),
                      "%s in pieces of %zu: %zu bytes, not %zu", streams[i].name, pieces[j], t.length,
                      expected.length);
            cr_expect(!transcript_closed(&t), "%s: closed", streams[i].name);
            transcript_free(&t);
        }
        transcript_free(&expected);
        free(bytes);
    }
    harness_deinit(&harness);
}

/* What was consumed while there was nothing to send does not count: the client had nothing to read. */
Test(session_memory, what_was_read_before_there_was_an_answer_does_not_count)
{
    struct harness harness;
    struct transcript t;
    struct drive drive;
    harness_new(&harness, AMPLE);
    drive_init(&drive, &harness, &t, REFUSAL_NOT);
    drive_enter(&drive);
    drive_feed(&drive, TEXT("POST /status/200 HTTP/1.1\r\nHost: h\r\nContent-Length: 2097152\r\n\r\n"));
    drive_leave(&drive);
    char *zeros = calloc(1, 65536);
    for (int i = 0; i < 32; i++) {
        drive_enter(&drive);
        drive_feed(&drive, (struct span){.data = zeros, .length = 65536});
        drive_leave(&drive);
    }
    for (int i = 0; i < 20000; i++) {
        cr_assert((t.wants & WANT_READ) != 0, "stalls before request %d", i);
        drive_enter(&drive);
        drive_feed(&drive, TEXT("GET /plaintext HTTP/1.1\r\nHost: h\r\n\r\n"));
        drive_leave(&drive);
    }
    drive_deinit(&drive);
    cr_expect(t.problem[0] == '\0', "%s", t.problem);
    free(zeros);
    harness_deinit(&harness);
}

/* Beyond a mebibyte the client is made to wait, and then goes on. */
Test(session_memory, more_than_that_meets_back_pressure)
{
    struct harness harness;
    harness_new(&harness, AMPLE);
    for (size_t i = 0; i + 1 < sizeof streams / sizeof streams[0]; i++) {
        char *bytes = stream_bytes(&streams[i], LONGER);
        struct script script = {
            .input = {.data = bytes, .length = LONGER}, .piece = 16384, .send = SEND_NONE};
        struct transcript silent;
        struct transcript late;
        struct transcript direct;
        transcript_run(&harness, &script, &silent);
        cr_expect(silent.taken >= MEBIBYTE && silent.taken < MEBIBYTE + 2 * 65536, "%s: %zu bytes taken",
                  streams[i].name, silent.taken);
        cr_expect((silent.wants & WANT_READ) == 0 && (silent.wants & WANT_WRITE) != 0);
        script.send = SEND_LAST;
        transcript_run(&harness, &script, &late);
        script.send = SEND_ALL;
        transcript_run(&harness, &script, &direct);
        cr_expect(span_equal(transcript_span(&late), transcript_span(&direct)), "%s", streams[i].name);
        cr_expect(late.problem[0] == '\0', "%s: %s", streams[i].name, late.problem);
        transcript_free(&silent);
        transcript_free(&late);
        transcript_free(&direct);
        free(bytes);
    }
    harness_deinit(&harness);
}

/* Reads answers off until they end: all good, but the last may be a 503 or cut short. NULL, or what is wrong. */
static const char *judge_tiny(const struct transcript *t, size_t *good)
{
    struct span rest = transcript_span(t);
    struct answer answer = {.complete = true};
    for (*good = 0; rest.length > 0; ++*good) {
        const char *wrong = answer_next(&rest, false, &answer);
        if (wrong != NULL) {
            return wrong;
        }
        if (answer.status == 503) {
            return rest.length > 0 ? "something behind a 503"
                   : !answer_has(&answer, "Retry-After", "1") || !answer_has(&answer, "Connection", "close")
                       ? "a 503 without Retry-After or close"
                   : !transcript_closed(t) ? "a 503 that does not close"
                                           : NULL;
        }
        if (answer.status != 200) {
            return "a status that is neither 200 nor 503";
        }
    }
    return NULL;
}

/* 64 KiB for all: either the whole stream is answered, with back-pressure, or a 503 ends it; the limit always holds (the
 * transcript watches it). */
Test(session_memory, a_tiny_budget_means_back_pressure_or_503)
{
    static const size_t pieces[] = {700, 4096, 16384, 65536};
    struct harness harness;
    harness_new(&harness, TINY);
    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++) {
        char *bytes = stream_bytes(&streams[i], MEBIBYTE);
        struct script script = {.input = {.data = bytes, .length = MEBIBYTE}, .send = SEND_LAST};
        for (size_t j = 0; j < sizeof pieces / sizeof pieces[0]; j++) {
            struct transcript t;
            size_t good = 0;
            script.piece = pieces[j];
            transcript_run(&harness, &script, &t);
            const char *wrong = t.problem[0] != '\0' ? t.problem : judge_tiny(&t, &good);
            cr_expect(wrong == NULL, "%s in pieces of %zu: %s after %zu answers", streams[i].name, pieces[j],
                      wrong, good);
            cr_expect(t.taken == MEBIBYTE || transcript_closed(&t), "%s in pieces of %zu: stuck at %zu",
                      streams[i].name, pieces[j], t.taken);
            /* A single read of more than is left, from a client that takes no answer, may end in a cut. */
            cr_expect(!transcript_closed(&t) || t.close_mode != CLOSE_ABORT || pieces[j] > 1024,
                      "%s in pieces of %zu: cut after %zu of %zu bytes", streams[i].name, pieces[j], t.length,
                      t.taken);
            transcript_free(&t);
        }
        free(bytes);
    }
    harness_deinit(&harness);
}

/* Other threads take the budget between the decision to read and the read. The client gets the answers that were made,
 * then a 503. */
Test(session_memory, what_cannot_be_kept_behind_an_unsent_answer_is_refused_behind_it)
{
#define PLAINTEXT  "GET /plaintext HTTP/1.1\r\nHost: h\r\n\r\n"
#define EIGHTY     "01234567890123456789012345678901234567890123456789012345678901234567890123456789"
#define LONG_VALUE EIGHTY EIGHTY EIGHTY EIGHTY EIGHTY EIGHTY EIGHTY EIGHTY
    static const struct {
        const char *before;
        const char *dropped;
    } rows[] = {
        {PLAINTEXT, PLAINTEXT},
        {PLAINTEXT, "GET /plain"},
        {PLAINTEXT "GET /pl", "aintext HTTP/1.1\r\nX: " LONG_VALUE},
        {PLAINTEXT PLAINTEXT "G", "ET /plaintext HTTP/1.1\r\nHost: h\r\nX: " LONG_VALUE "\r\n\r\n" PLAINTEXT},
    };
    struct harness harness;
    harness_new(&harness, TINY);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct transcript t;
        struct drive drive;
        size_t good = 0;
        drive_init(&drive, &harness, &t, REFUSAL_NOT);
        drive_enter(&drive);
        drive_feed(&drive, (struct span){.data = rows[i].before, .length = strlen(rows[i].before)});
        drive_leave(&drive);
        drive_enter(&drive);
        atomic_fetch_add(&harness.scoreboard->held, TINY + TINY / 16);
        drive_feed(&drive, (struct span){.data = rows[i].dropped, .length = strlen(rows[i].dropped)});
        atomic_fetch_sub(&harness.scoreboard->held, TINY + TINY / 16);
        drive_leave(&drive);
        cr_expect_eq(t.wants, WANT_WRITE, "row %zu", i);
        drive_flush(&drive);
        drive_deinit(&drive);
        const char *wrong = t.problem[0] != '\0' ? t.problem : judge_tiny(&t, &good);
        cr_expect_null(wrong, "row %zu: %s", i, wrong);
        cr_expect(good >= 1 && transcript_closed(&t) && t.close_mode != CLOSE_ABORT, "row %zu: %zu answers",
                  i, good);
        transcript_free(&t);
    }
    harness_deinit(&harness);
}

/* A body that is produced takes no more memory than is left: from a client that reads late it comes whole all the same. */
Test(session_memory, what_is_produced_keeps_to_the_budget)
{
    struct harness harness;
    harness_new(&harness, TINY);
    struct script script = {
        .input = TEXT("GET /bytes/1000000 HTTP/1.1\r\nHost: h\r\n\r\n"), .piece = 4096, .send = SEND_LAST};
    struct transcript t;
    size_t good = 0;
    transcript_run(&harness, &script, &t);
    const char *wrong = t.problem[0] != '\0' ? t.problem : judge_tiny(&t, &good);
    cr_expect_null(wrong, "%s", wrong);
    cr_expect_eq(good, 1);
    cr_expect_gt(t.length, 1000000);
    transcript_free(&t);
    harness_deinit(&harness);
}

/* Others hold so much that hardly one answer can be kept. A pass whose sends are used up leaves the requests that are kept as they are: it
 * makes no answers that it can neither send nor keep. */
Test(session_memory, requests_that_are_kept_are_not_answered_without_memory)
{
    enum { REQUESTS = 90, MOST = TINY - TINY / 16 };
    char input[4096] = "GET /delay/1 HTTP/1.1\r\nHost: h\r\n\r\n";
    for (int i = 0; i < REQUESTS; i++) {
        strcat(input, PLAINTEXT);
    }
    strcat(input, "GET /pl"); /* its bytes stay where they are */
    struct harness harness;
    harness_new(&harness, TINY);
    for (unsigned others = MOST - 8192; others <= MOST; others += 64) {
        struct transcript t;
        struct drive drive;
        size_t good = 0;
        drive_init(&drive, &harness, &t, REFUSAL_NOT);
        drive_enter(&drive);
        drive_feed(&drive, (struct span){.data = input, .length = strlen(input)});
        drive_leave(&drive);
        cr_expect_eq(t.wants, WANT_WAIT);
        drive_enter(&drive);
        atomic_fetch_add(&harness.scoreboard->held, others);
        session_resume(&drive.session, drive.context);
        drive_send(&drive, 10000);
        session_leave(&drive.session, drive.context);
        atomic_fetch_sub(&harness.scoreboard->held, others);
        cr_expect_neq(drive.session.close_mode, CLOSE_ABORT, "%u bytes are held: cut off", others);
        drive_flush(&drive);
        drive_deinit(&drive);
        const char *wrong = t.problem[0] != '\0' ? t.problem : judge_tiny(&t, &good);
        cr_expect_null(wrong, "%u bytes are held: %s", others, wrong);
        cr_expect_eq(good, REQUESTS + 1, "%u bytes are held: %zu answers", others, good);
        transcript_free(&t);
    }
    harness_deinit(&harness);
}

/* There is nothing left: who cannot be served is told so, however much of the request came with its head. */
Test(session_memory, a_refusal_is_sent_where_nothing_can_be_kept)
{
    char request[8192];
    memset(request, 'x', sizeof request);
    static const char head[] = "POST /anything HTTP/1.1\r\nHost: h\r\nContent-Length: 20000\r\n\r\n";
    memcpy(request, head, sizeof head - 1);
    struct harness harness;
    harness_new(&harness, 1);
    struct transcript t;
    struct drive drive;
    drive_init(&drive, &harness, &t, REFUSAL_NOT);
    drive_enter(&drive);
    drive_feed(&drive, (struct span){.data = request, .length = sizeof request});
    while (drive_send(&drive, 10000) > 0) {
    }
    drive_leave(&drive);
    drive_deinit(&drive);
    size_t good = 0;
    const char *wrong = t.problem[0] != '\0' ? t.problem : judge_tiny(&t, &good);
    cr_expect_null(wrong, "%s", wrong);
    cr_expect_gt(t.length, 0, "there is no answer");
    cr_expect_eq(t.close_mode, CLOSE_LINGERING);
    transcript_free(&t);
    harness_deinit(&harness);
}

/* Sends a request and as many others behind it as fit into so many bytes, within a tiny budget. Its answer must be a whole 200; gives
 * what was sent behind that. */
static struct span sent_behind(const char *request, const char *follower, size_t room, struct transcript *t)
{
    static char input[2 * TINY];
    struct harness harness;
    harness_new(&harness, TINY);
    size_t at = (size_t)sprintf(input, "%s", request);
    while (at + strlen(follower) < room) {
        at += (size_t)sprintf(input + at, "%s", follower);
    }
    struct script script = {.input = {.data = input, .length = at}};
    struct answer answer;
    transcript_run(&harness, &script, t);
    struct span rest = transcript_span(t);
    const char *wrong = t->problem[0] != '\0' ? t->problem : answer_next(&rest, false, &answer);
    cr_expect_null(wrong, "%s: %s", request, wrong);
    cr_expect(wrong != NULL || (answer.status == 200 && answer.complete), "%s", request);
    harness_deinit(&harness);
    return rest;
}

/* What comes behind an answer that takes its time cannot be kept: that answer is sent all the same, then a 503. */
Test(session_memory, what_cannot_be_kept_behind_an_answer_is_refused_after_it)
{
    static const char *const requests[] = {
        "GET /delay/1 HTTP/1.1\r\nHost: h\r\n\r\n", "GET /compute/1 HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /bytes/200000 HTTP/1.1\r\nHost: h\r\n\r\n", "GET /drip?numbytes=3 HTTP/1.1\r\nHost: h\r\n\r\n"};
    static const char *const followers[] = {"GET /ip HTTP/1.1\r\nHost: h\r\n\r\n",
                                            "HEAD /ip HTTP/1.1\r\nHost: h\r\n\r\n"};
    for (size_t i = 0; i < 2 * sizeof requests / sizeof requests[0]; i++) {
        const char *request = requests[i / 2];
        struct transcript t;
        struct answer answer;
        struct span rest = sent_behind(request, followers[i % 2], 2 * TINY, &t);
        const char *wrong = answer_next(&rest, i % 2 == 1, &answer);
        cr_expect_null(wrong, "%s: %s", request, wrong);
        cr_expect(wrong != NULL || (answer.status == 503 && rest.length == 0), "%s", request);
        cr_expect(transcript_closed(&t) && t.close_mode == CLOSE_LINGERING, "%s", request);
        transcript_free(&t);
    }
}

/* What is kept behind an answer that has begun may pass the limit by a little, but does not end that answer. */
Test(session_memory, what_is_kept_behind_an_answer_does_not_cut_it_off)
{
    static const char *const requests[] = {"GET /bytes/200000 HTTP/1.1\r\nHost: h\r\n\r\n",
                                           "GET /drip?numbytes=3 HTTP/1.1\r\nHost: h\r\n\r\n"};
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        struct transcript t;
        struct span rest = sent_behind(requests[i], "GET /ip HTTP/1.1\r\nHost: h\r\n\r\n", TINY - 100, &t);
        cr_expect_gt(rest.length, 0, "%s", requests[i]);
        transcript_free(&t);
    }
}
