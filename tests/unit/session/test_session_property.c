/* SPDX-License-Identifier: MIT */
/* Random valid requests: answered as a model says, and in the same way however reads and writes are split and take turns.
 * The session's invariants hold after every pass, in a tiny budget too.
 *
 * PROPERTY_SEED=N in the environment begins with that seed, PROPERTY_ROUNDS=N goes on for so many. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/support/answer.h"
#include "tests/unit/support/generator.h"
#include "tests/unit/support/transcript.h"

enum {
    SEED = 1,
    ROUNDS = 1000,
    SCHEDULES = 6, /* of each round */
    HELD_LIMIT = 64 << 20,
    TINY = 64 * 1024,
    STILL_MAX = 6, /* passes in which nothing moves */
};

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

/* ---- against the model ---- */

/* A chunked body without its framing; on the heap. */
static struct span unchunked(struct span body)
{
    char *out = malloc(body.length + 1);
    size_t length = 0;
    cr_assert_not_null(out);
    for (const char *p = body.data; p < body.data + body.length;) {
        char *line_end = NULL;
        size_t size = strtoul(p, &line_end, 16);
        memcpy(out + length, line_end + 2, size);
        length += size;
        p = line_end + 2 + size + 2;
    }
    return (struct span){.data = out, .length = length};
}

static const char *judge_answer(const struct generated_answer *expected, const struct answer *answer)
{
    if (answer->status != expected->status) {
        return "the status is another";
    }
    if (!answer->complete) {
        return "it is cut short";
    }
    bool chunked = answer_has(answer, "Transfer-Encoding", "chunked");
    if (expected->has_body && chunked != expected->chunked) {
        return "it is framed otherwise than its request";
    }
    if (!expected->has_body) {
        return NULL;
    }
    struct span wanted = {.data = expected->body, .length = expected->length};
    struct span plain = chunked ? unchunked(answer->body) : answer->body;
    bool equal = span_equal(plain, wanted);
    if (chunked) {
        free((char *)plain.data);
    }
    return equal ? NULL : "the body is another";
}

static const char *judge(const struct generated *g, const struct transcript *t, size_t *at)
{
    struct span rest = transcript_span(t);
    const char *wrong = t->problem[0] != '\0' ? t->problem : NULL;
    for (*at = 0; *at < g->count && wrong == NULL; (*at)++) {
        const struct generated_answer *expected = &g->answers[*at];
        struct answer answer;
        if (expected->interim) {
            wrong = answer_next(&rest, false, &answer);
            if (wrong == NULL && answer.status != 100) {
                wrong = "there is no 100 before it";
            }
        }
        if (wrong == NULL) {
            wrong = answer_next(&rest, expected->to_head, &answer);
        }
        if (wrong == NULL) {
            wrong = judge_answer(expected, &answer);
        }
    }
    if (wrong == NULL && rest.length > 0) {
        return "more follows the last answer";
    }
    if (wrong == NULL && transcript_closed(t) != g->close) {
        return g->close ? "the connection stays open" : "the connection is closed";
    }
    return wrong;
}

/* ---- reads and writes that take turns ---- */

static size_t some(struct chance *chance, size_t all)
{
    switch (chance_below(chance, 4)) {
    case 0: return 0;
    case 1: return chance_below(chance, 20);
    case 2: return chance_below(chance, 2000);
    default: return all;
    }
}

/* What a read, a wait or work brings; false if the session wants none. */
static bool drive_on(struct drive *drive, const struct generated *g, size_t most)
{
    struct transcript *t = drive->transcript;
    size_t left = g->length - t->taken;
    if ((t->wants & (WANT_WAIT | WANT_WORK)) != 0) {
        session_resume(&drive->session, drive->context);
        return true;
    }
    if ((t->wants & WANT_READ) == 0 || left == 0 || most == 0) {
        return false;
    }
    size_t size = most < left ? most : left;
    drive_feed(drive, (struct span){.data = g->bytes + t->taken, .length = size});
    t->taken += size;
    return true;
}

/* `chance` NULL: all in one read, and all that can be sent is. */
static void run(struct harness *harness, const struct generated *g, struct chance *chance,
                struct transcript *t)
{
    struct drive drive;
    unsigned still = 0;
    drive_init(&drive, harness, t, REFUSAL_NOT);
    while (!transcript_closed(t) && t->problem[0] == '\0' && still < STILL_MAX) {
        bool all = chance == NULL || still > 2;
        size_t reads = all ? SIZE_MAX : some(chance, SIZE_MAX);
        size_t sends = all ? SIZE_MAX : some(chance, SIZE_MAX);
        if ((t->wants & WANT_WORK) != 0) {
            struct work *work = session_work(&drive.session);
            work->run(work);
        }
        drive_enter(&drive);
        bool moved = drive_on(&drive, g, reads);
        for (size_t sent = 1; sent > 0 && sends > 0; sends = sends == SIZE_MAX ? sends : 0) {
            sent = drive_send(&drive, sends);
            moved |= sent > 0;
        }
        drive_leave(&drive);
        still = moved ? 0 : still + 1;
    }
    drive_deinit(&drive);
}

/* ---- tests ---- */

static bool check_round(struct harness *harness, uint64_t seed)
{
    struct chance chance = {.state = seed};
    struct generated g;
    struct transcript whole;
    size_t at = 0;
    generated_init(&g, &chance);
    run(harness, &g, NULL, &whole);
    const char *wrong = judge(&g, &whole, &at);
    cr_expect(wrong == NULL, "seed %llu, answer %zu of %zu: %s\n%.*s", (unsigned long long)seed, at, g.count,
              wrong, (int)(g.length < 3000 ? g.length : 3000), g.bytes);
    for (size_t i = 0; i < SCHEDULES && wrong == NULL; i++) {
        struct transcript split;
        run(harness, &g, &chance, &split);
        bool equal = split.problem[0] == '\0' && transcript_closed(&split) == transcript_closed(&whole) &&
                     span_equal(transcript_span(&split), transcript_span(&whole));
        cr_expect(equal, "seed %llu, schedule %zu: %s; %zu bytes instead of %zu, closed %d",
                  (unsigned long long)seed, i, split.problem, split.length, whole.length,
                  transcript_closed(&split));
        transcript_free(&split);
        wrong = equal ? NULL : "another answer";
    }
    transcript_free(&whole);
    generated_deinit(&g);
    return wrong == NULL;
}

Test(session_property, any_schedule_gives_the_answers_of_the_whole)
{
    struct harness harness;
    uint64_t seed = setting("PROPERTY_SEED", SEED);
    uint64_t rounds = setting("PROPERTY_ROUNDS", ROUNDS);
    harness_init(&harness, HELD_LIMIT);
    for (uint64_t i = 0; i < rounds && check_round(&harness, seed + i); i++) {
    }
    harness_deinit(&harness);
}

/* Answers may be 503 or end short; the rules and the limit hold. */
Test(session_property, any_schedule_keeps_the_rules_in_a_tiny_budget)
{
    struct harness harness;
    uint64_t seed = setting("PROPERTY_SEED", SEED);
    uint64_t rounds = setting("PROPERTY_ROUNDS", ROUNDS);
    bool good = true;
    harness_init(&harness, TINY);
    for (uint64_t i = 0; i < rounds && good; i++) {
        struct chance chance = {.state = seed + i};
        struct generated g;
        struct transcript t;
        generated_init(&g, &chance);
        run(&harness, &g, &chance, &t);
        good = t.problem[0] == '\0';
        cr_expect(good, "seed %llu: %s", (unsigned long long)(seed + i), t.problem);
        transcript_free(&t);
        generated_deinit(&g);
    }
    harness_deinit(&harness);
}
