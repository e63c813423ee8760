/* SPDX-License-Identifier: MIT */
/* /status/{code}: 200 to 599, to any method; what a status says of its body holds here too. */
#include <criterion/criterion.h>

#include "tests/unit/support/ask.h"

#define TEXT_PLAIN "Content-Type: text/plain"
#define PROBLEM    "Content-Type: application/problem+json"
#define NO_LENGTH  "!Content-Length"

static const struct ask cases[] = {
    {.line = "GET /status/200", .status = 200, .fields = {TEXT_PLAIN}, .answer = "OK"},
    {.line = "POST /status/418",
     .body = "x",
     .status = 418,
     .fields = {TEXT_PLAIN},
     .answer = "I'm a teapot"},
    {.line = "DELETE /status/301", .status = 301, .answer = "Moved Permanently"},
    {.line = "GET /status/0404", .status = 404, .fields = {TEXT_PLAIN}, .answer = "Not Found"},
    {.line = "GET /status/503", .status = 503, .fields = {TEXT_PLAIN}, .answer = "Service Unavailable"},
    {.line = "GET /status/599", .status = 599, .fields = {TEXT_PLAIN}},
    {.line = "HEAD /status/404", .status = 404, .fields = {"Content-Length: 9"}, .answer = ""},
    /* RFC 9110, 8.6 and 15.3.5, 15.3.6, 15.4.5 */
    {.line = "GET /status/204", .status = 204, .fields = {NO_LENGTH, "!Content-Type"}, .answer = ""},
    {.line = "GET /status/205", .status = 205, .fields = {"Content-Length: 0"}, .answer = ""},
    {.line = "GET /status/304", .status = 304, .answer = ""},
    {.line = "GET /status/100", .status = 400, .fields = {PROBLEM}, .within = "from 200 to 599"},
    {.line = "GET /status/199", .status = 400, .fields = {PROBLEM}},
    {.line = "GET /status/600", .status = 400, .fields = {PROBLEM}},
    {.line = "GET /status/18446744073709551816", .status = 400, .fields = {PROBLEM}},
    {.line = "GET /status/2oo", .status = 400, .fields = {PROBLEM}},
    {.line = "GET /status/-200", .status = 400, .fields = {PROBLEM}},
    {.line = "GET /status/%32%30%30", .status = 400, .fields = {PROBLEM}},
    {.line = "GET /status/", .status = 404},
    {.line = "GET /status", .status = 404},
    {.line = "GET /status/200/", .status = 404},
};

Test(handler_status, answers)
{
    ASK_ALL(cases);
}
