/* SPDX-License-Identifier: MIT */
/* /bytes/{n}: n bytes of one pattern, the same ones however many are asked for and however they are sent. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "common/handlers/routes.h"
#include "tests/unit/support/ask.h"

#define PROBLEM "Content-Type: application/problem+json"

static const struct ask cases[] = {
    {.line = "GET /bytes/0", .status = 200, .fields = {"Content-Length: 0"}, .answer = ""},
    {.line = "GET /bytes/1", .status = 200, .fields = {"Content-Length: 1"}, .answer = "0"},
    {.line = "GET /bytes/10",
     .status = 200,
     .fields = {"Content-Type: application/octet-stream"},
     .answer = "0123456789"},
    {.line = "GET /bytes/010", .status = 200, .answer = "0123456789"},
    {.line = "HEAD /bytes/1073741824", .status = 200, .fields = {"Content-Length: 1073741824"}, .answer = ""},
    {.line = "GET /bytes/1073741825", .status = 400, .fields = {PROBLEM}, .within = "1073741824"},
    {.line = "GET /bytes/99999999999999999999", .status = 400, .fields = {PROBLEM}},
    {.line = "GET /bytes/-1", .status = 400, .fields = {PROBLEM}},
    {.line = "GET /bytes/1k", .status = 400, .fields = {PROBLEM}},
    {.line = "GET /bytes/", .status = 404},
    {.line = "POST /bytes/1", .status = 405, .fields = {"Allow: GET, HEAD"}},
};

Test(handler_bytes, answers)
{
    ASK_ALL(cases);
}

/* Any piece of it, made alone, is what stands there in the whole; nothing is written behind the piece. */
Test(handler_bytes, pieces_are_parts_of_the_whole)
{
    enum { WHOLE = 1000 };
    char whole[WHOLE];
    char piece[WHOLE + 1];
    bytes_handler.produce(0, whole, WHOLE);
    for (size_t offset = 0; offset < WHOLE; offset += 7) {
        for (size_t length = 1; offset + length <= WHOLE; length += 61) {
            piece[length] = '\n';
            bytes_handler.produce(offset, piece, length);
            cr_assert(memcmp(piece, whole + offset, length) == 0 && piece[length] == '\n', "%zu bytes at %zu",
                      length, offset);
        }
    }
}

/* More than a context's scratch memory holds; and nothing of it is kept for a client that does not read. */
Test(handler_bytes, a_large_answer_is_made_as_it_is_sent)
{
    enum { LENGTH = 1000 * 1000 };
    static char expected[LENGTH];
    bytes_handler.produce(0, expected, LENGTH);
    struct harness harness;
    struct transcript t;
    struct answer answer;
    harness_init(&harness, ASK_HELD_LIMIT);
    struct script script = {
        .input = TEXT("GET /bytes/1000000 HTTP/1.1\r\nHost: h\r\n\r\n"), .send = SEND_SOME, .some = 5000};
    transcript_run(&harness, &script, &t);
    struct span rest = transcript_span(&t);
    cr_assert_null(answer_next(&rest, false, &answer));
    cr_expect(answer.complete && rest.length == 0);
    cr_expect(span_equal(answer.body, (struct span){.data = expected, .length = LENGTH}));
    cr_expect_lt(t.held_most, 256 * 1024, "%llu bytes held", (unsigned long long)t.held_most);
    cr_expect(t.problem[0] == '\0', "%s", t.problem);
    transcript_free(&t);
    harness_deinit(&harness);
}
