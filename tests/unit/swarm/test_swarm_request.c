/* SPDX-License-Identifier: MIT */
/* The bytes of a request, and what its answer must be. */
#include <criterion/criterion.h>
#include <string.h>

#include "loadtest/swarm/http/request.h"

static struct options_class plain(void)
{
    return (struct options_class){.method = "GET", .path = "/p", .expect_length = OPTIONS_ANY_LENGTH};
}

static void build(struct request *request, const struct options_class *of)
{
    const struct options options = {.host = "h:1/rest", .host_length = 3};
    cr_assert(request_build(request, &options, of));
}

static void expect_bytes(const struct options_class *of, const char *bytes)
{
    struct request request;
    build(&request, of);
    cr_expect_eq(request.length, strlen(bytes));
    cr_expect_str_eq(request.bytes, bytes);
    request_free(&request);
}

Test(swarm_request, bytes)
{
    struct options_class of = plain();
    expect_bytes(&of, "GET /p HTTP/1.1\r\nHost: h:1\r\n\r\n");
    of.close = true;
    expect_bytes(&of, "GET /p HTTP/1.1\r\nHost: h:1\r\nConnection: close\r\n\r\n");
    of = plain();
    of.body_size = 3;
    expect_bytes(&of, "GET /p HTTP/1.1\r\nHost: h:1\r\nContent-Length: 3\r\n\r\nabc");
    of = plain();
    of.data = "";
    of.method = "POST";
    expect_bytes(&of, "POST /p HTTP/1.1\r\nHost: h:1\r\nContent-Length: 0\r\n\r\n");
    of.headers.count = 2;
    of.headers.items[0] = "A: b";
    of.headers.items[1] = "hOST:other";
    of.data = "text";
    expect_bytes(&of, "POST /p HTTP/1.1\r\nA: b\r\nhOST:other\r\nContent-Length: 4\r\n\r\ntext");
}

Test(swarm_request, expectations)
{
    struct request request;
    struct options_class of = plain();
    build(&request, &of);
    cr_expect(!request.expectation.has_length && request.expectation.body == NULL && !request.to_head);
    request_free(&request);

    of.data = "text";
    of.expect_echo = true;
    build(&request, &of);
    cr_expect_eq(request.expectation.length, 4);
    cr_expect_arr_eq(request.expectation.body, "text", 4);
    request_free(&request);

    of = plain();
    of.expect_body = "hello";
    of.method = "HEAD";
    build(&request, &of);
    cr_expect(request.to_head && request.expectation.has_length && request.expectation.length == 5);
    request_free(&request);

    of = plain();
    of.expect_length = 0;
    build(&request, &of);
    cr_expect(request.expectation.has_length && request.expectation.length == 0 &&
              request.expectation.body == NULL);
    request_free(&request);
}
