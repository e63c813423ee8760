/* SPDX-License-Identifier: MIT */
/* /echo: the body back, and what a query or X-Echo fields make of the answer. */
#include <criterion/criterion.h>

#include "tests/unit/support/ask.h"

#define PROBLEM "Content-Type: application/problem+json"
#define OCTETS  "Content-Type: application/octet-stream"
#define NOSNIFF "X-Content-Type-Options: nosniff"
#define SANDBOX "Content-Security-Policy: sandbox"
#define CHUNKS  "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n02;x\r\nde\r\n0\r\nA: b\r\n"

static const struct ask bodies[] = {
    {.line = "POST /echo", .body = "hi", .status = 200, .fields = {OCTETS, NOSNIFF, SANDBOX}, .answer = "hi"},
    {.line = "PUT /echo/a/b", .body = "hi", .status = 200, .fields = {"Content-Length: 2"}, .answer = "hi"},
    {.line = "GET /echo", .status = 200, .fields = {"Content-Length: 0", OCTETS}, .answer = ""},
    {.line = "DELETE /echo", .body = "", .status = 200, .fields = {"Content-Length: 0"}, .answer = ""},
    {.line = "M-SEARCH /echo", .body = "x", .status = 200, .answer = "x"},
    {.line = "TRACE /echo", .body = "x", .status = 200, .answer = "x"},
    {.line = "HEAD /echo", .body = "hi", .status = 200, .fields = {"Content-Length: 2"}, .answer = ""},
    {.line = "POST /echo",
     .sent = "Content-Type: text/html; charset=utf-8\r\n",
     .body = "<b>",
     .status = 200,
     .fields = {"Content-Type: text/html; charset=utf-8", SANDBOX},
     .answer = "<b>"},
    /* chunk for chunk, without extensions and trailers */
    {.line = "POST /echo",
     .sent = CHUNKS,
     .status = 200,
     .fields = {"Transfer-Encoding: chunked", "!Content-Length", "!A"},
     .answer = "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"},
    {.line = "POST /echo",
     .sent = "Connection: close\r\n",
     .body = "hi",
     .status = 200,
     .answer = "hi",
     .close = true},
    {.line = "POST /echo", .sent = "Expect: 100-continue\r\n", .body = "hi", .status = 200, .answer = "hi"},
    {.line = "GET /echoes", .status = 404},
};

Test(handler_echo, bodies)
{
    ASK_ALL(bodies);
}

static const struct ask shapes[] = {
    {.line = "GET /echo?status=503", .status = 503, .fields = {OCTETS, "!Retry-After"}, .answer = ""},
    {.line = "POST /echo?status=204",
     .body = "hi",
     .status = 204,
     .fields = {"!Content-Length"},
     .answer = ""},
    {.line = "POST /echo?status=205",
     .body = "hi",
     .status = 205,
     .fields = {"Content-Length: 0"},
     .answer = ""},
    {.line = "POST /echo?status=304", .body = "hi", .status = 304, .answer = ""},
    {.line = "GET /echo?status=200&status=404", .status = 404},
    {.line = "GET /echo?unknown=1", .status = 200},
    {.line = "GET /echo?header=A:1&header=B:%202", .status = 200, .fields = {"A: 1", "B: 2"}},
    {.line = "GET /echo?header=A:1+2%2B3:4", .status = 200, .fields = {"A: 1+2+3:4"}},
    {.line = "GET /echo?header=A:%2541", .status = 200, .fields = {"A: %41"}},
    {.line = "GET /echo?header=A:", .status = 200, .fields = {"A: "}},
    {.line = "GET /echo?header=Content-Type:a/b", .status = 200, .fields = {"Content-Type: a/b", SANDBOX}},
    {.line = "GET /echo?close=true", .status = 200, .close = true},
    {.line = "GET /echo?close=false", .status = 200},
    {.line = "GET /echo?delay=10s", .status = 200},
    {.line = "GET /echo", .sent = "X-Echo-Status: 418\r\n", .status = 418},
    {.line = "GET /echo",
     .sent = "x-echo-header: A: 1\r\nX-ECHO-HEADER:B:2\r\n",
     .status = 200,
     .fields = {"A: 1", "B: 2"}},
    {.line = "GET /echo", .sent = "X-Echo-Close: true\r\n", .status = 200, .close = true},
    {.line = "GET /echo", .sent = "X-Echo-Delay: 1ms\r\n", .status = 200},
    {.line = "GET /echo", .sent = "X-Echo-Other: 1\r\n", .status = 200},
    /* the query wins */
    {.line = "GET /echo?status=201",
     .sent = "X-Echo-Status: 418\r\nX-Echo-Header: A: 1\r\n",
     .status = 201,
     .fields = {"A: 1"}},
    {.line = "GET /echo?header=A:1",
     .sent = "X-Echo-Header: B: 2\r\n",
     .status = 200,
     .fields = {"A: 1", "!B"}},
    {.line = "GET /echo?close=false", .sent = "X-Echo-Close: true\r\n", .status = 200},
    {.line = "POST /?status=202", .body = "x", .status = 202, .answer = "x"},
};

Test(handler_echo, shapes)
{
    ASK_ALL(shapes);
}

#define REFUSED(parameter, said)                                                              \
    {                                                                                         \
        .line = "GET /echo?" parameter, .status = 400, .fields = {PROBLEM, "!" SANDBOX_NAME}, \
        .within = (said)                                                                      \
    }
#define SANDBOX_NAME "Content-Security-Policy"

static const struct ask refused[] = {
    REFUSED("status=199", "from 200 to 599"),
    REFUSED("status=600", "from 200 to 599"),
    REFUSED("status=", "from 200 to 599"),
    REFUSED("status", "from 200 to 599"),
    REFUSED("status=%20200", "from 200 to 599"),
    REFUSED("status=%3", "percent"),
    REFUSED("delay=10.001", "10 s"),
    REFUSED("delay=soon", "10 s"),
    REFUSED("close=yes", "true or false"),
    REFUSED("close", "true or false"),
    REFUSED("header=A", "Name:Value"),
    REFUSED("header=:x", "Name:Value"),
    REFUSED("header=A%20:x", "Name:Value"),
    REFUSED("header=A:x%0d%0aB:y", "control"),
    REFUSED("header=A:x%0a", "control"),
    REFUSED("header=A:%0d", "control"),
    REFUSED("header=A:x%00", "control"),
    REFUSED("header=A:x%7f", "control"),
    REFUSED("header=A%00:x", "control"),
    REFUSED("header=A%0d%0aB:y", "control"),
    REFUSED("header=Content-Length:5", "framing"),
    REFUSED("header=content-length:5", "framing"),
    REFUSED("header=%43ontent-Length:5", "framing"),
    REFUSED("header=Transfer-Encoding:chunked", "framing"),
    REFUSED("header=Connection:close", "framing"),
    REFUSED("header=Keep-Alive:1", "framing"),
    REFUSED("header=Upgrade:x", "framing"),
    REFUSED("header=TE:x", "framing"),
    REFUSED("header=Trailer:x", "framing"),
    REFUSED("header=Date:x", "framing"),
    REFUSED("header=Server:x", "framing"),
    REFUSED("status=201&header=A:1&close=no", "true or false"),
    {.line = "POST /echo", .sent = "X-Echo-Status: 99\r\n", .body = "hi", .status = 400, .fields = {PROBLEM}},
    {.line = "POST /echo",
     .sent = "X-Echo-Header: TE: x\r\n",
     .body = "hi",
     .status = 400,
     .fields = {PROBLEM}},
    {.line = "POST /echo", .sent = "X-Echo-Delay: 1h\r\n", .body = "hi", .status = 400, .fields = {PROBLEM}},
    {.line = "POST /echo",
     .sent = "X-Echo-Close: TRUE\r\n",
     .body = "hi",
     .status = 400,
     .fields = {PROBLEM}},
    /* known from the head: instead of the interim answer, with close */
    {.line = "POST /echo?status=1",
     .sent = "Expect: 100-continue\r\n",
     .body = "hi",
     .status = 400,
     .close = true},
};

Test(handler_echo, refused)
{
    ASK_ALL(refused);
}

/* The delay stands before the head, and each kind of parameter is taken in its own units. */
Test(handler_echo, waits_before_the_head)
{
    struct harness harness;
    struct drive drive;
    struct transcript t;
    harness_init(&harness, ASK_HELD_LIMIT);
    drive_init(&drive, &harness, &t, REFUSAL_NOT);
    drive_pass(&drive, TEXT("POST /echo?delay=0.25 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nh"));
    cr_expect_eq(t.wants, WANT_READ, "the wait begins when the request is whole");
    drive_pass(&drive, TEXT("i"));
    cr_expect_eq(t.wants, WANT_WAIT);
    cr_expect_eq(session_wait_ms(&drive.session), 250);
    cr_expect_eq(t.length, 0);
    drive_deinit(&drive);
    cr_expect(t.problem[0] == '\0', "%s", t.problem);
    transcript_free(&t);
    harness_deinit(&harness);
}
