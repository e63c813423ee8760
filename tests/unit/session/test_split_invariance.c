/* SPDX-License-Identifier: MIT */
/* Every request of the corpus is answered as it says there, and in the same way however its bytes are split and however
 * the socket takes the answers; alone, behind good requests, and with one more behind it. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/support/answer.h"
#include "tests/unit/support/corpus.h"
#include "tests/unit/support/transcript.h"

#define GET "GET /plaintext HTTP/1.1\r\nHost: h\r\n\r\n"
#define POST \
    "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nA: b\r\n\r\n"

enum {
    RANDOM_SPLITS = 16,     /* of each input */
    SMALL = 2048,           /* an input up to this size is split at every point */
    SEED = 20240229,        /* of the random splits */
    HELD_LIMIT = 64u << 20, /* more than any case needs */
};

/* What stands before and behind a case. */
struct setting {
    const char *name;
    struct span before;
    bool behind; /* GET, if the case leaves the connection open or must not leave it open */
};

static const struct setting settings[] = {
    {"alone", TEXT(""), false},
    {"before a GET", TEXT(""), true},
    {"behind a GET", TEXT(GET), false},
    {"between", TEXT(GET POST), true},
};

static uint64_t random_state = SEED;

/* xorshift64: the same on every machine. */
static size_t random_below(size_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (size_t)(random_state % limit);
}

/* Valgrind sees each byte's use in any of the runs, and takes fifty times as long: it gets fewer of the largest. */
static bool under_valgrind(void)
{
    const char *preload = getenv("LD_PRELOAD");
    return preload != NULL && strstr(preload, "/vgpreload_") != NULL;
}

/* One input with the answer it must always get. */
struct subject {
    struct harness *harness;
    const struct corpus_case *c;
    const struct setting *setting;
    char *input;
    size_t length;
    size_t offset; /* of the case in the input */
    bool first;    /* of its file */
    struct transcript reference;
    bool failed;
};

/* ---- what the corpus says ---- */

/* How many requests a connection has had depends on what stands before the case: that one digit is not compared. */
static bool body_equal(struct span got, struct span expected)
{
    static const char count[] = "\"requests\":";
    const char *at = memmem(expected.data, expected.length, count, sizeof count - 1);
    if (at == NULL || got.length != expected.length) {
        return span_equal(got, expected);
    }
    size_t before = (size_t)(at - expected.data) + sizeof count - 1;
    return memcmp(got.data, expected.data, before) == 0 &&
           memcmp(got.data + before + 1, expected.data + before + 1, got.length - before - 1) == 0;
}

static const char *check_answer(const struct corpus_answer *expected, const struct answer *answer, bool last,
                                bool close)
{
    struct span value;
    if (answer->status != expected->status) {
        return "the status is another";
    }
    if (answer->complete == expected->cut) {
        return expected->cut ? "the answer should be cut short" : "the answer is cut short";
    }
    if (expected->body_given && !body_equal(answer->body, expected->body)) {
        return "the body is another";
    }
    for (size_t i = 0; i < expected->field_count; i++) {
        const struct corpus_field *field = &expected->fields[i];
        if (field->value == NULL ? answer_field(answer, field->name, &value) > 0
                                 : !answer_has(answer, field->name, field->value)) {
            return field->value == NULL ? "a field should not be there" : "a field is not there, or another";
        }
    }
    if (answer->status < 200) {
        return answer->fields.length == 0 ? NULL : "an interim answer has fields";
    }
    if (!answer_has(answer, "Date", HARNESS_DATE) || !answer_has(answer, "Server", "echod")) {
        return "Date or Server is missing";
    }
    bool says_close = answer_has(answer, "Connection", "close");
    if (!expected->cut && says_close != (last && close)) {
        return says_close ? "Connection: close on an answer that does not close"
                          : "Connection: close is missing";
    }
    if (answer_has(answer, "Content-Type", "application/problem+json") && !expected->to_head) {
        char status[32];
        snprintf(status, sizeof status, "\"status\":%u,", answer->status);
        return span_contains(answer->body, status) && span_contains(answer->body, "\"detail\":\"")
                   ? NULL
                   : "problem+json without status or detail";
    }
    return NULL;
}

static const struct corpus_answer plaintext_answer = {
    .status = 200, .body_given = true, .body = TEXT("Hello, World!")};
static const struct corpus_answer post_answer = {
    .status = 200, .body_given = true, .body = TEXT("3\r\nabc\r\n0\r\n\r\n")};

/* What all answers together must be. */
static size_t expectations(const struct subject *s, const struct corpus_answer *all[CORPUS_ANSWERS_MAX + 3])
{
    size_t count = 0;
    if (s->offset > 0) {
        all[count++] = &plaintext_answer;
    }
    if (s->offset > sizeof GET) {
        all[count++] = &post_answer;
    }
    for (size_t i = 0; i < s->c->answer_count; i++) {
        all[count++] = &s->c->answers[i];
    }
    if (s->setting->behind && !s->c->close) {
        all[count++] = &plaintext_answer;
    }
    return count;
}

static bool closes_silently(const struct corpus_case *c)
{
    return c->eof && (c->answer_count == 0 ||
                      (c->answers[c->answer_count - 1].status < 400 && !c->answers[c->answer_count - 1].cut));
}

static void check_reference(struct subject *s)
{
    const struct corpus_answer *all[CORPUS_ANSWERS_MAX + 3];
    size_t count = expectations(s, all);
    struct span rest = transcript_span(&s->reference);
    const char *wrong = s->reference.problem[0] != '\0' ? s->reference.problem : NULL;
    size_t i = 0;
    for (; i < count && wrong == NULL; i++) {
        struct answer answer;
        wrong = answer_next(&rest, all[i]->to_head, &answer);
        /* When a client ends its side, only errors and its own `Connection: close` make answers say so. */
        bool close = s->c->close && !s->c->abort &&
                     !(closes_silently(s->c) && !answer_has(&answer, "Connection", "close"));
        if (wrong == NULL) {
            wrong = check_answer(all[i], &answer, i + 1 == count, close);
        }
    }
    if (wrong == NULL && rest.length > 0) {
        wrong = "there is more behind the last answer";
    }
    if (wrong == NULL && transcript_closed(&s->reference) != s->c->close) {
        wrong = s->c->close ? "the connection should be closed" : "the connection should be open";
    }
    s->failed = wrong != NULL;
    cr_expect(!s->failed, "line %u \"%s\", %s: answer %zu: %s:\n%.*s", s->c->line, s->c->title,
              s->setting->name, i, wrong, (int)(s->reference.length < 1500 ? s->reference.length : 1500),
              transcript_span(&s->reference).data);
}

/* ---- one and the same answer ---- */

static void check_same(struct subject *s, struct script *script, const char *how, size_t where)
{
    struct transcript t;
    if (s->failed) {
        return;
    }
    script->input = (struct span){.data = s->input, .length = s->length};
    script->eof = s->c->eof;
    transcript_run(s->harness, script, &t);
    bool equal = span_equal(transcript_span(&t), transcript_span(&s->reference)) && t.problem[0] == '\0' &&
                 transcript_closed(&t) == transcript_closed(&s->reference);
    size_t same = 0;
    while (!equal && same < t.length && same < s->reference.length &&
           t.output[same] == s->reference.output[same]) {
        same++;
    }
    s->failed = !equal;
    cr_expect(equal,
              "line %u \"%s\", %s, %s %zu, sending %d/%zu: %s; %zu bytes, %zu expected, equal up to %zu; "
              "closed %d; then:\n%.*s",
              s->c->line, s->c->title, s->setting->name, how, where, (int)script->send, script->some,
              t.problem, t.length, s->reference.length, same, transcript_closed(&t),
              (int)(t.length - same < 600 ? t.length - same : 600), transcript_span(&t).data + same);
    transcript_free(&t);
}

/* Within a long repetition one split is like another, but where a limit or a buffer may end. What stands before a case and
 * behind it is the same for all cases: only the first of a file is split there, and each next to its own bytes. */
static bool split_matters(const struct subject *s, size_t at)
{
    enum { NEAR = 4 };
    if (!s->first && (at + NEAR < s->offset || at > s->offset + s->c->input.length + NEAR)) {
        return false;
    }
    if (s->length <= SMALL) {
        return true;
    }
    for (size_t i = 0; i < s->c->run_count; i++) {
        size_t begin = s->c->runs[i].begin + s->offset;
        size_t end = s->c->runs[i].end + s->offset;
        if (at > begin + 8 && at + 8 < end) {
            size_t in_run = (at - begin + 2) % 65536;
            size_t in_case = (at - s->offset + 2) % 16384;
            return in_run < 5 || in_case < 5 || at % 9973 == 0;
        }
    }
    return true;
}

/* Whether a large input is split there in this setting: alone or before a GET, by turns, if the case is run in both. */
static bool is_its_turn(const struct subject *s, size_t at)
{
    return s->c->eof || s->setting->behind == (at % 2 != 0);
}

/* Of a large input each split is tried once, in one setting and with one pattern of sending: that takes a quarter of the time. */
static void check_splits(struct subject *s)
{
    bool large = s->length > SMALL;
    size_t every = large && under_valgrind() ? 23 : 1;
    for (size_t at = 1; at < s->length; at++) {
        if (at % every == 0 && split_matters(s, at) && (!large || is_its_turn(s, at))) {
            struct script all = {.cuts = &at, .cut_count = 1, .send = SEND_ALL};
            struct script last = {.cuts = &at, .cut_count = 1, .send = SEND_LAST};
            if (!large || at / 2 % 2 == 0) {
                check_same(s, &all, "split at", at);
            }
            if (!large || at / 2 % 2 != 0) {
                check_same(s, &last, "split at", at);
            }
        }
    }
}

static void check_pieces(struct subject *s)
{
    static const size_t sizes[] = {1, 2, 3, 7, 1000, 4096, 65536};
    bool alone = s->length == s->c->input.length; /* a large input is fed byte by byte only then */
    size_t first = s->length > SMALL && (under_valgrind() || !alone) ? 4 : 0;
    for (size_t i = first; i < sizeof sizes / sizeof sizes[0]; i++) {
        if (sizes[i] > 1 && (sizes[i] >= s->length || (sizes[i] < 100 && s->length > SMALL))) {
            continue;
        }
        size_t some = s->reference.length / 40 + 1;
        struct script all = {.piece = sizes[i], .send = SEND_ALL};
        struct script last = {.piece = sizes[i], .send = SEND_LAST};
        struct script slow = {.piece = sizes[i], .send = SEND_SOME, .some = some};
        check_same(s, &all, "pieces of", sizes[i]);
        check_same(s, &last, "pieces of", sizes[i]);
        check_same(s, &slow, "pieces of", sizes[i]);
    }
    size_t some[] = {s->reference.length < 4000 ? 1 : 997, 8000, 70000};
    for (size_t i = 0; i < sizeof some / sizeof some[0]; i++) {
        struct script whole = {.send = SEND_SOME, .some = some[i]};
        check_same(s, &whole, "whole", 0);
    }
}

static int compare_sizes(const void *a, const void *b)
{
    size_t x = *(const size_t *)a;
    size_t y = *(const size_t *)b;
    return x < y ? -1 : x > y;
}

static void check_random(struct subject *s)
{
    enum { CUTS_MAX = 12 };
    for (size_t round = 0; round < RANDOM_SPLITS && s->length > 1; round++) {
        size_t cuts[CUTS_MAX];
        size_t count = 1 + random_below(CUTS_MAX);
        for (size_t i = 0; i < count; i++) {
            cuts[i] = 1 + random_below(s->length - 1);
        }
        qsort(cuts, count, sizeof cuts[0], compare_sizes);
        struct script script = {.cuts = cuts,
                                .cut_count = count,
                                .send = (enum send_pattern)random_below(3),
                                .some = 1 + random_below(s->reference.length + 1)};
        script.some = script.some < s->reference.length / 100 ? s->reference.length / 100 : script.some;
        check_same(s, &script, "random round", round);
    }
}

static void check_case(struct harness *harness, const struct corpus_case *c, const struct setting *setting,
                       bool first)
{
    size_t behind = setting->behind ? sizeof GET - 1 : 0;
    struct subject s = {
        .harness = harness, .c = c, .setting = setting, .offset = setting->before.length, .first = first};
    s.length = setting->before.length + c->input.length + behind;
    s.input = malloc(s.length + 1);
    cr_assert_not_null(s.input);
    memcpy(s.input, setting->before.data, setting->before.length);
    if (c->input.length > 0) {
        memcpy(s.input + s.offset, c->input.data, c->input.length);
    }
    memcpy(s.input + s.offset + c->input.length, GET, behind);

    struct script whole = {.input = {.data = s.input, .length = s.length}, .eof = c->eof};
    transcript_run(harness, &whole, &s.reference);
    check_reference(&s);
    check_pieces(&s);
    check_random(&s);
    if (s.length <= SMALL || setting->before.length == 0) {
        check_splits(&s);
    }
    transcript_free(&s.reference);
    free(s.input);
}

static size_t check_file(const char *path)
{
    struct corpus corpus;
    struct harness harness;
    corpus_read(&corpus, path);
    cr_assert(corpus.problem[0] == '\0', "%s", corpus.problem);
    cr_assert_gt(corpus.count, 0);
    harness_init(&harness, HELD_LIMIT);
    for (size_t i = 0; i < corpus.count; i++) {
        const struct corpus_case *c = &corpus.cases[i];
        for (size_t j = 0; j < sizeof settings / sizeof settings[0]; j++) {
            if (!(settings[j].behind && c->eof)) {
                check_case(&harness, c, &settings[j], i == 0);
            }
        }
    }
    harness_deinit(&harness);
    size_t count = corpus.count;
    corpus_free(&corpus);
    fprintf(stderr, "%s: %zu cases, seed %d\n", path, count, SEED);
    return count;
}

#define CORPUS_TEST(name)                               \
    Test(split_invariance, name)                        \
    {                                                   \
        check_file("tests/unit/corpus/" #name ".http"); \
    }

CORPUS_FILES(CORPUS_TEST)

#define CONFORMANCE_TEST(name)                                      \
    Test(conformance_split, name)                                   \
    {                                                               \
        check_file("tests/integration/conformance/" #name ".http"); \
    }

CONFORMANCE_TEST(request_line)
CONFORMANCE_TEST(targets)
CONFORMANCE_TEST(methods)
CONFORMANCE_TEST(fields)
CONFORMANCE_TEST(host)
CONFORMANCE_TEST(framing)
CONFORMANCE_TEST(smuggling_both)
CONFORMANCE_TEST(smuggling_coding)
CONFORMANCE_TEST(smuggling_length)
CONFORMANCE_TEST(smuggling_body)
CONFORMANCE_TEST(chunk_size)
CONFORMANCE_TEST(chunk_smuggling)
CONFORMANCE_TEST(connection)
