/* SPDX-License-Identifier: MIT */
/* /anything, /headers and /ip: the request as JSON. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "tests/unit/support/ask.h"

#define JSON    "Content-Type: application/json"
#define NOSNIFF "X-Content-Type-Options: nosniff"
#define TAIL                                                                                                 \
    "\"remote\":\"192.0.2.1:1234\",\"local\":{\"address\":\"192.0.2.9\",\"port\":80,\"listener\":\"192.0.2." \
    "9:80\"},"                                                                                               \
    "\"mode\":\"test\",\"connection\":{\"id\":7,\"requests\":1},\"hostname\":"                               \
    "\"host\"}\n"

static const struct ask cases[] = {
    {.line = "GET /anything",
     .status = 200,
     .fields = {JSON, NOSNIFF},
     .answer = "{\"method\":\"GET\",\"url\":\"http://h/anything\",\"path\":\"/anything\",\"query\":\"\","
               "\"http_version\":\"1.1\",\"headers\":{\"Host\":[\"h\"]},\"body\":\"\",\"trailers\":{}," TAIL},
    {.line = "PATCH /anything/b%2Fc?x=%20&y",
     .body = "\"text\"\n",
     .status = 200,
     .answer = "{\"method\":\"PATCH\",\"url\":\"http://h/anything/b%2Fc?x=%20\\u0026y\",\"path\":\"/anything/"
               "b%2Fc\","
               "\"query\":\"x=%20\\u0026y\",\"http_version\":\"1.1\",\"headers\":{\"Host\":[\"h\"],"
               "\"Content-Length\":[\"7\"]},\"body\":\"\\\"text\\\"\\n\",\"trailers\":{}," TAIL},
    {.line = "GET https://other:81/anything?q",
     .status = 200,
     .within = "\"url\":\"https://other:81/anything?q\",\"path\":\"/anything\",\"query\":\"q\","},
    /* a name under its first spelling, its values in order */
    {.line = "GET /anything",
     .sent = "accept: a\r\nB: 1\r\nACCEPT:  b \r\nb:\r\n",
     .status = 200,
     .within = "\"headers\":{\"Host\":[\"h\"],\"accept\":[\"a\",\"b\"],\"B\":[\"1\",\"\"]}"},
    /* RFC 4648, 10 */
    {.line = "POST /anything",
     .body = "\xff",
     .status = 200,
     .within = "\"body\":\"/w==\",\"body_encoding\":\"base64\""},
    {.line = "POST /anything",
     .body = "\xc3\xa9",
     .status = 200,
     .within = "\"body\":\"\xc3\xa9\",\"trailers\""},
    {.line = "HEAD /anything", .status = 200, .fields = {JSON}, .answer = ""},
    {.line = "GET /anythings", .status = 404},
    {.line = "GET /headers",
     .sent = "X-A: <b>\r\nx-a: 2\r\n",
     .status = 200,
     .fields = {JSON},
     .answer = "{\"headers\":{\"Host\":[\"h\"],\"X-A\":[\"\\u003cb\\u003e\",\"2\"]}}\n"},
    /* a byte that is no UTF-8 is its code point */
    {.line = "GET /headers", .sent = "X-A: \xe9\r\n", .status = 200, .within = "\"X-A\":[\"\\u00e9\"]"},
    {.line = "POST /headers", .status = 405, .fields = {"Allow: GET, HEAD"}},
    {.line = "GET /ip",
     .sent = "X-Forwarded-For: 203.0.113.9\r\nForwarded: for=203.0.113.9\r\n",
     .status = 200,
     .fields = {JSON},
     .answer = "{\"remote\":\"192.0.2.1\"}\n"},
    {.line = "POST /ip", .status = 405, .fields = {"Allow: GET, HEAD"}},
};

Test(handler_anything, answers)
{
    ASK_ALL(cases);
}

/* Trailers stand apart from the fields, and change nothing. */
static const char chunked[] = "POST /anything HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                              "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nA: 1\r\nConnection: close\r\na: 2\r\n\r\n";

Test(handler_anything, chunked_with_trailers)
{
    struct harness harness;
    struct transcript t;
    harness_init(&harness, ASK_HELD_LIMIT);
    for (size_t piece = 1; piece <= sizeof chunked - 1; piece++) {
        struct script script = {.input = TEXT(chunked), .piece = piece};
        transcript_run(&harness, &script, &t);
        cr_assert(span_contains(transcript_span(&t), "\"body\":\"abcde\",\"trailers\":{\"A\":[\"1\",\"2\"],"
                                                     "\"Connection\":[\"close\"]}"),
                  "in pieces of %zu: %.*s", piece, (int)t.length, t.output);
        cr_assert(!transcript_closed(&t) && t.problem[0] == '\0', "%s", t.problem);
        transcript_free(&t);
    }
    harness_deinit(&harness);
}

/* 1 MiB is the most, with either framing. */
Test(handler_anything, the_largest_body)
{
    enum { MOST = 1024 * 1024 };
    char *text = malloc(MOST + 2);
    memset(text, 'a', MOST + 1);
    text[MOST + 1] = '\0';
    struct harness harness;
    harness_init(&harness, (uint64_t)64 * MOST);
    harness.service.max_body_size = (uint64_t)64 * MOST;
    struct ask ask = {
        .line = "POST /anything", .body = text, .status = 413, .within = "1048576", .close = true};
    const char *wrong = ask_judge(&harness, &ask);
    cr_expect_null(wrong, "one byte more: %s", wrong);
    text[MOST] = '\0';
    ask = (struct ask){
        .line = "POST /anything", .body = text, .status = 200, .within = "\"trailers\":{}," TAIL};
    wrong = ask_judge(&harness, &ask);
    cr_expect_null(wrong, "the most: %.200s", wrong);
    ask = (struct ask){.line = "POST /anything",
                       .sent = "Transfer-Encoding: chunked\r\n\r\n100001\r\n",
                       .status = 413,
                       .close = true};
    wrong = ask_judge(&harness, &ask);
    cr_expect_null(wrong, "chunked, one byte more: %s", wrong);
    harness_deinit(&harness);
    free(text);
}

Test(handler_anything, counts_the_requests_of_a_connection)
{
    struct harness harness;
    struct transcript t;
    harness_init(&harness, ASK_HELD_LIMIT);
    struct script script = {.input = TEXT("GET /plaintext HTTP/1.1\r\nHost: h\r\n\r\n"
                                          "GET /anything HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
                                          "GET /anything HTTP/1.0\r\n\r\n")};
    transcript_run(&harness, &script, &t);
    cr_expect(span_contains(transcript_span(&t), "\"connection\":{\"id\":7,\"requests\":2}"));
    cr_expect(span_contains(transcript_span(&t), "\"connection\":{\"id\":7,\"requests\":3}"));
    cr_expect(span_contains(transcript_span(&t), "\"http_version\":\"1.0\""));
    cr_expect(transcript_closed(&t) && t.problem[0] == '\0', "%s", t.problem);
    transcript_free(&t);
    harness_deinit(&harness);
}
