/* SPDX-License-Identifier: MIT */
/* /delay/{time}: an answer after that time. It waits without a thread: the session says WAIT. */
#include "common/handlers/routes.h"
#include "common/base/number.h"

static void delay_begin(const struct request *request, struct response *response)
{
    if (number_parse_duration_ms(request->parameter.data, request->parameter.length, HANDLER_WAIT_MAX_MS,
                                 &response->wait_ms) != 0) {
        response_problem(response, STATUS_BAD_REQUEST,
                         "The time must be in seconds, or have a unit as in 200ms, and be at most 10 s.");
        return;
    }
    response->content_type = SPAN_LITERAL("text/plain");
    response->text = SPAN_LITERAL("Hello, World!");
}

const struct handler delay_handler = {.begin = delay_begin};
