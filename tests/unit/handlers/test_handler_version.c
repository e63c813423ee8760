/* SPDX-License-Identifier: MIT */
/* /version: name, version, mode and libraries as JSON. */
#include <criterion/criterion.h>
#include <llhttp.h>
#include <stdio.h>

#include "tests/unit/support/ask.h"

Test(handler_version, answers)
{
    char body[256];
    snprintf(body, sizeof body,
             "{\"name\":\"echod\",\"version\":\"1.2.3\",\"mode\":\"test\","
             "\"libraries\":{\"libevent\":\"2.1.12-stable\",\"llhttp\":\"%d.%d.%d\"}}\n",
             LLHTTP_VERSION_MAJOR, LLHTTP_VERSION_MINOR, LLHTTP_VERSION_PATCH);
    const struct ask cases[] = {
        {.line = "GET /version", .status = 200, .fields = {"Content-Type: application/json"}, .answer = body},
        {.line = "HEAD /version", .status = 200, .answer = ""},
        {.line = "POST /version", .status = 405, .fields = {"Allow: GET, HEAD"}},
    };
    ASK_ALL(cases);
}
