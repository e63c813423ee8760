/* SPDX-License-Identifier: MIT */
/* /plaintext: 13 bytes, to GET and HEAD. */
#include <criterion/criterion.h>

#include "tests/unit/support/ask.h"

static const struct ask cases[] = {
    {.line = "GET /plaintext",
     .status = 200,
     .fields = {"Content-Type: text/plain", "Content-Length: 13", "Server: echod", "Date: " HARNESS_DATE},
     .answer = "Hello, World!"},
    {.line = "GET /plaintext?what=ever", .status = 200, .answer = "Hello, World!"},
    {.line = "HEAD /plaintext", .status = 200, .fields = {"Content-Length: 13"}, .answer = ""},
    {.line = "GET /plaintext", .body = "dropped", .status = 200, .answer = "Hello, World!"},
    {.line = "POST /plaintext", .body = "x", .status = 405, .fields = {"Allow: GET, HEAD"}},
    {.line = "GET /plaintext/", .status = 404},
};

Test(handler_plaintext, answers)
{
    ASK_ALL(cases);
}
