/* SPDX-License-Identifier: MIT */
/* /delay/{time}: an answer after that time. It waits without a thread: the session says WAIT. */
#include "common/handlers/routes.h"
#include "common/handlers/wait.h"

static void delay_begin(const struct request *request, struct response *response)
{
    if (wait_read(request, response, "The time", request->parameter, &response->wait_ms)) {
        response->content_type = SPAN_LITERAL("text/plain");
        response->text = SPAN_LITERAL("Hello, World!");
    }
}

const struct handler delay_handler = {.begin = delay_begin};
