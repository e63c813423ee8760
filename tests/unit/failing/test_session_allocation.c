/* SPDX-License-Identifier: MIT */
/* Each request of the corpus with each of the session's allocations failing in turn, alone and with all behind it: the
 * answers that still come are those that would have come, then at most a 503, and the connection closes. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/failing/failing.h"
#include "tests/unit/support/answer.h"
#include "tests/unit/support/corpus.h"
#include "tests/unit/support/invariants.h"
#include "tests/unit/support/log_sink.h"
#include "tests/unit/support/transcript.h"

enum {
    HELD_LIMIT = 64 << 20,
    LONGEST = 100 * 1024, /* what is longer allocates no otherwise */
    OUTPUT_SIZE = 1 << 20,
    STILL_MAX = 3, /* passes in which nothing moves */
};

/* How a client and its socket behave. */
struct manner {
    const char *name;
    size_t piece; /* bytes per read */
    size_t send;  /* bytes per send */
    bool late;    /* nothing is sent while there is something to read */
};

static const struct manner manners[] = {
    {"whole", SIZE_MAX, SIZE_MAX, false},
    {"in pieces", 7, SIZE_MAX, false},
    {"in pieces, to a client that writes first", 7, SIZE_MAX, true},
    {"whole, to a slow client", SIZE_MAX, 50, false},
};

static const struct manner long_manners[] = {
    {"whole", SIZE_MAX, SIZE_MAX, false},
    {"in pieces, to a client that writes first", 5000, 20000, true},
};

struct run {
    struct harness *harness;
    const struct corpus_case *c;
    const struct manner *manner;
    struct session session;
    char *output;
    size_t length;
    size_t taken;
    unsigned wants;
    bool ended;
    const char *broken;
};

/* Between these two the session allocates; else the test does. */
static void session_begins(void)
{
    failing_pause(false);
}

static void session_ends(void)
{
    failing_pause(true);
}

static size_t run_send(struct run *run, struct context *context, bool reading)
{
    size_t sent = 0;
    struct span unsent;
    if (run->manner->late && reading) {
        return 0;
    }
    while ((unsent = session_output(&run->session, context)).length > 0 &&
           (sent == 0 || run->manner->send == SIZE_MAX)) {
        size_t step = unsent.length < run->manner->send ? unsent.length : run->manner->send;
        cr_assert(run->length + step <= OUTPUT_SIZE);
        memcpy(run->output + run->length, unsent.data, step);
        run->length += step;
        sent += step;
        session_begins();
        session_sent(&run->session, context, step);
        session_ends();
    }
    return sent;
}

/* Whether there was something to do. */
static bool run_act(struct run *run, struct context *context)
{
    size_t left = run->c->input.length - run->taken;
    bool reads = (run->wants & WANT_READ) != 0;
    if (reads && left > 0) {
        size_t piece = left < run->manner->piece ? left : run->manner->piece;
        char *block = malloc(piece);
        memcpy(block, run->c->input.data + run->taken, piece);
        session_begins();
        session_feed(&run->session, context, block, piece);
        session_ends();
        free(block);
        run->taken += piece;
        return true;
    }
    if (reads && run->c->eof && !run->ended) {
        run->ended = true;
        session_begins();
        session_eof(&run->session, context);
        session_ends();
        return true;
    }
    if ((run->wants & (WANT_WAIT | WANT_WORK)) != 0) {
        session_begins();
        session_resume(&run->session, context);
        session_ends();
        return true;
    }
    return false;
}

static bool run_pass(struct run *run)
{
    struct context *context = &run->harness->contexts[run->harness->passes++ % 2];
    if ((run->wants & WANT_WORK) != 0) {
        struct work *work = session_work(&run->session);
        work->output = work->input; /* it allocates nothing, and takes its time */
    }
    session_enter(&run->session, context);
    bool moved = run_act(run, context);
    bool reading = moved && run->taken < run->c->input.length;
    moved |= run_send(run, context, reading) > 0;
    session_begins();
    session_leave(&run->session, context);
    session_ends();
    memset(context->output.scratch, 0xA5, context->output.scratch_size);
    run->wants = session_wants(&run->session, context);
    run->broken = invariants_broken(&run->session, &run->harness->service, harness_held(run->harness));
    return moved;
}

static void run_all(struct run *run, struct failing how)
{
    struct peer peer = {.family = 2, .address = {192, 0, 2, 1}, .port = 1234};
    run->length = run->taken = 0;
    run->ended = false;
    run->wants = WANT_READ;
    session_init(&run->session, HARNESS_CONNECTION, &peer, REFUSAL_NOT);
    failing_start(how);
    unsigned still = 0;
    while ((run->wants & WANT_CLOSE) == 0 && run->broken == NULL && still < STILL_MAX) {
        still = run_pass(run) ? 0 : still + 1;
    }
    session_deinit(&run->session, run->harness->contexts[0].output.budget);
    if (run->broken == NULL && harness_held(run->harness) != 0) {
        run->broken = "something is held after the end";
    }
}

/* Even the 503 may be cut off: a slow client's is kept in memory. */
static bool begins_503(struct span bytes)
{
    static const char line[] = "HTTP/1.1 503 ";
    size_t length = bytes.length < sizeof line - 1 ? bytes.length : sizeof line - 1;
    return memcmp(bytes.data, line, length) == 0;
}

static bool says_503(const struct answer *answer)
{
    return answer->status == 503 && answer_has(answer, "Connection", "close") &&
           answer_has(answer, "Retry-After", "1");
}

/* Against what came when nothing failed. NULL, or what is wrong. */
static const char *judge(const struct run *run, const struct run *good)
{
    struct span rest = {.data = run->output, .length = run->length};
    struct span good_rest = {.data = good->output, .length = good->length};
    bool closed = (run->wants & WANT_CLOSE) != 0;
    if (run->broken != NULL) {
        return run->broken;
    }
    if (!closed) {
        return span_equal(rest, good_rest) && run->wants == good->wants ? NULL
                                                                        : "it goes on with other answers";
    }
    for (size_t i = 0; rest.length > 0; i++) {
        bool to_head = i < run->c->answer_count && run->c->answers[i].to_head;
        struct answer answer;
        struct answer expected;
        struct span whole = rest;
        if (good_rest.length >= rest.length && memcmp(good_rest.data, rest.data, rest.length) == 0) {
            return NULL; /* cut off, perhaps in the middle of an answer */
        }
        const char *wrong = answer_next(&rest, to_head, &answer);
        if (wrong != NULL) {
            return begins_503(whole) ? NULL : wrong;
        }
        if (says_503(&answer)) {
            struct span body = rest; /* of one that answers a HEAD whose method had not come yet */
            bool body_only = to_head && body.length > 0 && body.data[0] == '{' &&
                             answer_next(&whole, false, &answer) == NULL;
            return rest.length == 0 || (body_only && whole.length == 0) ? NULL
                                                                        : "more follows a 503 that closes";
        }
        size_t length = whole.length - rest.length;
        wrong = good_rest.length == 0 ? "an answer too many" : answer_next(&good_rest, to_head, &expected);
        if (wrong != NULL) {
            return wrong;
        }
        if ((size_t)(good_rest.data - good->output) < length ||
            memcmp(whole.data, good_rest.data - length, length) != 0) {
            return "another answer, that is no 503";
        }
    }
    return NULL;
}

static size_t check_manner(struct harness *harness, const struct corpus_case *c, const struct manner *manner,
                           char *outputs[2])
{
    struct run good = {.harness = harness, .c = c, .manner = manner, .output = outputs[0]};
    run_all(&good, (struct failing){.first = UINT64_MAX});
    cr_expect(good.broken == NULL, "line %u \"%s\", %s: %s", c->line, c->title, manner->name, good.broken);
    uint64_t count = failing_count();
    for (uint64_t first = 0; first < count; first++) {
        for (int all_after = 0; all_after < 2; all_after++) {
            struct run run = {.harness = harness, .c = c, .manner = manner, .output = outputs[1]};
            run_all(&run, (struct failing){.first = first, .all_after = all_after});
            const char *wrong = judge(&run, &good);
            cr_expect(wrong == NULL, "line %u \"%s\", %s, allocation %llu of %llu%s: %s:\n%.*s", c->line,
                      c->title, manner->name, (unsigned long long)first, (unsigned long long)count,
                      all_after ? " and all behind it" : "", wrong,
                      (int)(run.length < 1500 ? run.length : 1500), run.output);
        }
    }
    return count;
}

static struct log_sink sinks[2];

static void check_file(const char *path)
{
    struct corpus corpus;
    struct harness harness;
    char *outputs[2] = {malloc(OUTPUT_SIZE), malloc(OUTPUT_SIZE)};
    size_t allocations = 0;
    failing_pause(true);
    corpus_read(&corpus, path);
    cr_assert(corpus.problem[0] == '\0', "%s", corpus.problem);
    harness_init(&harness, HELD_LIMIT);
    log_sink_attach(sinks, &harness, LOG_JSON);
    for (size_t i = 0; i < corpus.count; i++) {
        const struct corpus_case *c = &corpus.cases[i];
        bool longer = c->input.length > 2048;
        for (size_t j = 0; c->input.length < LONGEST && j < (longer ? 2 : 4); j++) {
            allocations += check_manner(&harness, c, longer ? &long_manners[j] : &manners[j], outputs);
        }
    }
    const char *wrong = log_sink_wrong(sinks);
    cr_expect(wrong == NULL, "%s", wrong);
    cr_expect_gt(sinks[0].lines + sinks[1].lines, 0);
    harness_deinit(&harness);
    cr_expect(allocations > 0);
    fprintf(stderr, "%s: %zu allocations failed, one by one\n", path, allocations);
    corpus_free(&corpus);
    free(outputs[0]);
    free(outputs[1]);
}

/* Bytes that cannot be kept still say that a HEAD is answered. */
Test(session_allocation, the_503_of_a_head_that_is_not_kept_has_no_body)
{
    static const char head[] = "HEAD /plaintext HTTP/1.1\r\n";
    struct harness harness;
    struct session session;
    struct peer peer = {.family = 2};
    failing_pause(true);
    harness_init(&harness, HELD_LIMIT);
    log_sink_attach(sinks, &harness, LOG_TEXT);
    session_init(&session, HARNESS_CONNECTION, &peer, REFUSAL_NOT);
    struct context *context = &harness.contexts[0];
    session_enter(&session, context);
    failing_start((struct failing){.first = 0});
    session_begins();
    session_feed(&session, context, head, sizeof head - 1);
    session_ends();
    struct span output = session_output(&session, context);
    struct answer answer;
    cr_expect(answer_next(&output, true, &answer) == NULL);
    cr_expect(says_503(&answer));
    cr_expect_eq(output.length, 0);
    session_sent(&session, context, session_output(&session, context).length);
    session_leave(&session, context);
    session_deinit(&session, context->output.budget);
    cr_expect_eq(harness_held(&harness), 0);
    harness_deinit(&harness);
}

#define CORPUS_TEST(name)                               \
    Test(session_allocation, name)                      \
    {                                                   \
        check_file("tests/unit/corpus/" #name ".http"); \
    }

CORPUS_FILES(CORPUS_TEST)
