/* SPDX-License-Identifier: MIT */
/* Answers as servers send them, good and bad, whole and at every split: what is read must be the same. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "loadtest/swarm/http/response.h"

#define OK  "HTTP/1.1 200 OK\r\n"
#define END "\r\n\r\n"

struct row {
    const char *name;
    const char *bytes;
    enum response_progress end; /* with the end of the stream behind the bytes */
    bool to_head;
    bool needs_end; /* it is whole only with the end of the stream */
    bool keep_alive;
    unsigned status;
    uint64_t body_length;
    size_t rest; /* bytes behind the answer */
};

static const struct row ROWS[] = {
    {"a length", OK "Content-Length: 5" END "hello", RESPONSE_DONE, false, false, true, 200, 5, 0},
    {"no body", OK "Content-Length: 0" END, RESPONSE_DONE, false, false, true, 200, 0, 0},
    {"chunks", OK "Transfer-Encoding: chunked" END "3\r\nhel\r\n2\r\nlo\r\n0\r\nA: b" END, RESPONSE_DONE,
     false, false, true, 200, 5, 0},
    {"until the end", OK "A: b" END "hello", RESPONSE_DONE, false, true, false, 200, 5, 0},
    {"it closes", OK "Connection: close\r\nContent-Length: 5" END "hello", RESPONSE_DONE, false, false, false,
     200, 5, 0},
    {"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 5" END "hello", RESPONSE_DONE, false, false, false, 200,
     5, 0},
    {"refused", "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 2" END "no",
     RESPONSE_DONE, false, false, true, 503, 2, 0},
    {"204", "HTTP/1.1 204 No Content" END, RESPONSE_DONE, false, false, true, 204, 0, 0},
    {"304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5" END, RESPONSE_DONE, false, false, true, 304, 0,
     0},
    {"to HEAD", OK "Content-Length: 5" END, RESPONSE_DONE, true, false, true, 200, 0, 0},
    {"interim", "HTTP/1.1 100 Continue" END "HTTP/1.1 102 Processing" END OK "Content-Length: 1" END "x",
     RESPONSE_DONE, false, false, true, 200, 1, 0},
    {"interim to HEAD", "HTTP/1.1 103 Early Hints\r\nLink: <x>" END OK "Content-Length: 1" END, RESPONSE_DONE,
     true, false, true, 200, 0, 0},
    {"more than asked for", OK "Content-Length: 1" END "x" OK, RESPONSE_DONE, false, false, true, 200, 1,
     sizeof(OK) - 1},
    {"bytes behind no body", "HTTP/1.1 204 No Content" END "x", RESPONSE_DONE, false, false, true, 204, 0, 1},
    {"nothing", "", RESPONSE_BAD, false, false, false, 0, 0, 0},
    {"cut in the head", OK "Content-Le", RESPONSE_BAD, false, false, false, 0, 0, 0},
    {"cut in the body", OK "Content-Length: 5" END "hell", RESPONSE_BAD, false, false, false, 0, 0, 0},
    {"cut in a chunk", OK "Transfer-Encoding: chunked" END "5\r\nhel", RESPONSE_BAD, false, false, false, 0,
     0, 0},
    {"cut behind the chunks", OK "Transfer-Encoding: chunked" END "1\r\nh\r\n", RESPONSE_BAD, false, false,
     false, 0, 0, 0},
    {"only interim", "HTTP/1.1 100 Continue" END, RESPONSE_BAD, false, false, false, 0, 0, 0},
    {"a switch", "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x" END, RESPONSE_BAD,
     false, false, false, 0, 0, 0},
    {"another protocol", "SSH-2.0-x\r\n", RESPONSE_BAD, false, false, false, 0, 0, 0},
    {"two framings", OK "Content-Length: 5\r\nTransfer-Encoding: chunked" END "0" END, RESPONSE_BAD, false,
     false, false, 0, 0, 0},
    {"a bad chunk", OK "Transfer-Encoding: chunked" END "x\r\n", RESPONSE_BAD, false, false, false, 0, 0, 0},
};

/* Feeds the pieces [0, cut) and [cut, length), each one from memory of its own, so that a read past it is seen. */
static enum response_progress feed_pieces(struct response *response, const char *bytes, size_t length,
                                          size_t cut, size_t *used)
{
    enum response_progress progress = RESPONSE_MORE;
    size_t at = 0;
    *used = 0;
    while (at < length && progress == RESPONSE_MORE) {
        size_t size = at < cut ? cut - at : length - at;
        char *piece = malloc(size);
        size_t part;
        cr_assert_not_null(piece);
        memcpy(piece, bytes + at, size);
        progress = response_feed(response, piece, size, &part);
        free(piece);
        *used += part;
        at += size;
    }
    return progress;
}

static void check_row(const struct row *row, size_t cut)
{
    struct response response;
    size_t used;
    size_t length = strlen(row->bytes);
    response_begin(&response, NULL, row->to_head);
    enum response_progress progress = feed_pieces(&response, row->bytes, length, cut, &used);
    if (row->end == RESPONSE_DONE) {
        cr_assert_eq(progress, row->needs_end ? RESPONSE_MORE : RESPONSE_DONE, "%s at %zu: %s", row->name,
                     cut, response_error(&response));
        cr_assert_eq(used, length - row->rest, "%s at %zu", row->name, cut);
    }
    cr_assert_eq(response_end(&response), row->end, "%s at %zu", row->name, cut);
    if (row->end == RESPONSE_BAD) {
        cr_assert_not_null(response_error(&response), "%s at %zu", row->name, cut);
        return;
    }
    cr_assert_eq(response.status, row->status, "%s at %zu", row->name, cut);
    cr_assert_eq(response.body_length, row->body_length, "%s at %zu", row->name, cut);
    cr_assert_eq(response.keep_alive, row->keep_alive, "%s at %zu", row->name, cut);
}

Test(response, whole_and_at_every_split)
{
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        for (size_t cut = 0; cut < strlen(ROWS[i].bytes) - (ROWS[i].bytes[0] != '\0' ? ROWS[i].rest : 0);
             cut++) {
            check_row(&ROWS[i], cut);
        }
        check_row(&ROWS[i], 0);
    }
}

static bool body_right(const struct response_expectation *expectation, const char *bytes, size_t cut)
{
    struct response response;
    size_t used;
    response_begin(&response, expectation, false);
    cr_assert_eq(feed_pieces(&response, bytes, strlen(bytes), cut, &used), RESPONSE_DONE);
    return response_body_right(&response);
}

Test(response, bodies_are_compared)
{
    static const struct response_expectation hello = {.body = "hello", .length = 5, .has_length = true};
    static const struct response_expectation five = {.length = 5, .has_length = true};
    static const struct response_expectation any = {0};
    static const struct {
        const struct response_expectation *expectation;
        const char *bytes;
        bool right;
    } cases[] = {
        {&hello, OK "Content-Length: 5" END "hello", true},
        {&hello, OK "Transfer-Encoding: chunked" END "1\r\nh\r\n4\r\nello\r\n0" END, true},
        {&hello, OK "Content-Length: 5" END "hellO", false},
        {&hello, OK "Content-Length: 5" END "Hello", false},
        {&hello, OK "Content-Length: 4" END "hell", false},
        {&hello, OK "Content-Length: 6" END "hello!", false},
        {&hello, OK "Content-Length: 0" END, false},
        {&hello, "HTTP/1.1 100 Continue" END OK "Content-Length: 5" END "hello", true},
        {&five, OK "Content-Length: 5" END "HELLO", true},
        {&five, OK "Content-Length: 6" END "HELLO!", false},
        {&any, OK "Content-Length: 6" END "HELLO!", true},
        {NULL, OK "Content-Length: 6" END "HELLO!", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (size_t cut = 0; cut < strlen(cases[i].bytes); cut++) {
            cr_expect_eq(body_right(cases[i].expectation, cases[i].bytes, cut), cases[i].right,
                         "row %zu at %zu", i, cut);
        }
    }
}

Test(response, takes_no_more_once_it_is_settled)
{
    struct response response;
    size_t used;
    const char good[] = OK "Content-Length: 0" END;
    response_begin(&response, NULL, false);
    cr_assert_eq(response_feed(&response, good, sizeof(good) - 1, &used), RESPONSE_DONE);
    cr_expect_eq(response_feed(&response, good, sizeof(good) - 1, &used), RESPONSE_DONE);
    cr_expect_eq(used, 0);
    response_begin(&response, NULL, false);
    cr_assert_eq(response_feed(&response, "nonsense", 8, &used), RESPONSE_BAD);
    cr_expect_eq(response_feed(&response, good, sizeof(good) - 1, &used), RESPONSE_BAD);
    cr_expect_eq(response_end(&response), RESPONSE_BAD);
}
