/* SPDX-License-Identifier: MIT */
/* An answer's head on the wire, for each way in which a body can be delimited; and errors as problem+json. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "common/base/clock.h"
#include "common/session/exchange/response.h"

static const char date[] = "Sun, 06 Nov 1994 08:49:37 GMT";
#define BEGIN(line) "HTTP/1.1 " line "\r\nServer: echod\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

struct row {
    unsigned status;
    uint8_t body; /* enum content */
    uint64_t length;
    uint8_t method;
    uint8_t minor;
    uint8_t framing; /* the request's */
    bool close;
    bool sandbox;
    bool has_body;
    const char *head;
};

static const struct row rows[] = {
    {200, CONTENT_TEXT, 0, HTTP_GET, 1, FRAMING_NONE, false, false, true,
     BEGIN("200 OK") "Content-Type: text/x\r\nContent-Length: 4\r\n\r\n"},
    {200, CONTENT_TEXT, 0, HTTP_HEAD, 1, FRAMING_NONE, false, false, false,
     BEGIN("200 OK") "Content-Type: text/x\r\nContent-Length: 4\r\n\r\n"},
    {200, CONTENT_TEXT, 0, HTTP_GET, 1, FRAMING_NONE, true, false, true,
     BEGIN("200 OK") "Content-Type: text/x\r\nContent-Length: 4\r\nConnection: close\r\n\r\n"},
    {200, CONTENT_TEXT, 0, HTTP_GET, 0, FRAMING_NONE, false, false, true,
     BEGIN("200 OK") "Content-Type: text/x\r\nContent-Length: 4\r\nConnection: keep-alive\r\n\r\n"},
    {204, CONTENT_TEXT, 0, HTTP_GET, 1, FRAMING_NONE, false, false, false, BEGIN("204 No Content") "\r\n"},
    {205, CONTENT_TEXT, 0, HTTP_GET, 1, FRAMING_NONE, false, false, false,
     BEGIN("205 Reset Content") "Content-Type: text/x\r\nContent-Length: 0\r\n\r\n"},
    {304, CONTENT_TEXT, 0, HTTP_GET, 1, FRAMING_NONE, false, false, false,
     BEGIN("304 Not Modified") "Content-Type: text/x\r\n\r\n"},
    {599, CONTENT_TEXT, 0, HTTP_GET, 1, FRAMING_NONE, false, false, true,
     BEGIN("599 Unassigned") "Content-Type: text/x\r\nContent-Length: 4\r\n\r\n"},
    {200, CONTENT_ECHO, 0, HTTP_POST, 1, FRAMING_CHUNKED, false, true, true,
     BEGIN("200 OK") "Content-Type: text/x\r\nX-Content-Type-Options: nosniff\r\nContent-Security-Policy: "
                     "sandbox\r\n"
                     "Transfer-Encoding: chunked\r\n\r\n"},
    {200, CONTENT_ECHO, 1234567890123, HTTP_POST, 1, FRAMING_LENGTH, false, false, true,
     BEGIN("200 OK") "Content-Type: text/x\r\nContent-Length: 1234567890123\r\n\r\n"},
    {200, CONTENT_PRODUCED, 1073741824, HTTP_GET, 1, FRAMING_NONE, false, false, true,
     BEGIN("200 OK") "Content-Type: text/x\r\nContent-Length: 1073741824\r\n\r\n"},
};

static void check_row(const struct row *row, struct budget budget)
{
    char scratch[4096];
    struct output output = {.scratch = scratch, .scratch_size = sizeof scratch, .budget = budget};
    struct buffer *kept = NULL;
    struct response response;
    struct request request = {.method = row->method,
                              .minor_version = row->minor,
                              .framing = row->framing,
                              .content_length = row->length};
    output_open(&output, &kept, 0);
    response_init(&response, budget);
    response.content_type = SPAN_LITERAL("text/x");
    response.text = SPAN_LITERAL("text");
    response.status = row->status;
    response.body = row->body;
    response.length = row->length;
    response.close = row->close;
    response.sandbox = row->sandbox;
    struct delimiting d = response_write_head(&output, &response, &request, date);
    output_commit(&output);
    struct span head = output_unsent(&output);
    char reason[64];
    snprintf(reason, sizeof reason, "HTTP/1.1 %u ", row->status);
    cr_expect(head.length > strlen(reason) && memcmp(head.data, reason, strlen(reason)) == 0);
    if (row->status != 599) {
        cr_expect(span_equal(head, (struct span){.data = row->head, .length = strlen(row->head)}),
                  "row %zu: %.*s", (size_t)(row - rows), (int)head.length, head.data);
    }
    cr_expect_eq(d.body, row->has_body, "row %zu", (size_t)(row - rows));
    response_deinit(&response);
}

Test(response, heads)
{
    struct scoreboard *scoreboard = scoreboard_new(1, 65536);
    struct budget budget = {.scoreboard = scoreboard, .counters = &scoreboard->counters[0]};
    cr_assert_eq(strlen(date), CLOCK_DATE_LENGTH);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_row(&rows[i], budget);
    }
    scoreboard_free(scoreboard);
}

/* Whatever the detail holds, the problem is JSON, and what was prepared before is dropped. */
Test(response, problem)
{
    struct scoreboard *scoreboard = scoreboard_new(1, 65536);
    struct budget budget = {.scoreboard = scoreboard, .counters = &scoreboard->counters[0]};
    struct response response;
    response_init(&response, budget);
    response.sandbox = true;
    buffer_append(&response.fields, "A: b\r\n", 6, budget, BUDGET_MAY_REFUSE);
    response_problem(&response, 404, "There is no \"%s\".", "a\\b\n\x7f\xc3\xa9");
    static const char expected[] = "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,"
                                   "\"detail\":\"There is no 'a'b'''''.\"}\n";
    struct span text = response_text(&response);
    cr_expect(span_equal(text, SPAN_LITERAL(expected)), "%.*s", (int)text.length, text.data);
    cr_expect(response.problem && !response.sandbox && response.fields == NULL);
    cr_expect_eq(response.status, 404);
    response_deinit(&response);
    cr_expect_eq(atomic_load(&scoreboard->held), 0);
    scoreboard_free(scoreboard);
}
