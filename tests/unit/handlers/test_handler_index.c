/* SPDX-License-Identifier: MIT */
/* GET /: a text that names every path; any other method there is an echo. */
#include <criterion/criterion.h>

#include "tests/unit/support/ask.h"

#define TEXT_PLAIN "Content-Type: text/plain; charset=utf-8"

static const struct ask cases[] = {
    {.line = "GET /", .status = 200, .fields = {TEXT_PLAIN}, .within = "/echo"},
    {.line = "GET /", .status = 200, .within = "/plaintext"},
    {.line = "GET /", .status = 200, .within = "/anything"},
    {.line = "GET /", .status = 200, .within = "/headers"},
    {.line = "GET /", .status = 200, .within = "/ip"},
    {.line = "GET /", .status = 200, .within = "/status/{code}"},
    {.line = "GET /", .status = 200, .within = "/delay/{time}"},
    {.line = "GET /", .status = 200, .within = "/block/{time}"},
    {.line = "GET /", .status = 200, .within = "/compute/{rounds}"},
    {.line = "GET /", .status = 200, .within = "/bytes/{n}"},
    {.line = "GET /", .status = 200, .within = "/drip"},
    {.line = "GET /", .status = 200, .within = "/sse"},
    {.line = "GET /", .status = 200, .within = "/healthz"},
    {.line = "GET /", .status = 200, .within = "/readyz"},
    {.line = "GET /", .status = 200, .within = "/metrics"},
    {.line = "GET /", .status = 200, .within = "/version"},
    {.line = "GET /?a=b", .status = 200, .fields = {TEXT_PLAIN}},
    {.line = "GET http://h", .status = 200, .fields = {TEXT_PLAIN}},
    {.line = "HEAD /", .status = 200, .fields = {TEXT_PLAIN}, .answer = ""},
    {.line = "POST /", .body = "back", .status = 200, .answer = "back"},
    {.line = "OPTIONS /", .status = 200, .fields = {"Content-Security-Policy: sandbox"}, .answer = ""},
    {.line = "PUT /?status=201", .body = "back", .status = 201, .answer = "back"},
};

Test(handler_index, answers)
{
    ASK_ALL(cases);
}
