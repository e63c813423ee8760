/* SPDX-License-Identifier: MIT */
/* /plaintext: the answer of the public web benchmarks. */
#include "common/handlers/routes.h"

static void plaintext_begin(const struct request *request, struct response *response)
{
    (void)request;
    response->content_type = SPAN_LITERAL("text/plain");
    response->text = SPAN_LITERAL("Hello, World!");
}

const struct handler plaintext_handler = {.begin = plaintext_begin};
