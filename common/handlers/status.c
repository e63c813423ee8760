/* SPDX-License-Identifier: MIT */
/* /status/{code}: that status, its reason as text. */
#include "common/handlers/routes.h"
#include "common/base/number.h"

static void status_begin(const struct request *request, struct response *response)
{
    uint64_t code = 0;
    if (number_parse_u64(request->parameter.data, request->parameter.length, STATUS_MAX, &code) != 0 ||
        code < STATUS_MIN) {
        response_problem(response, STATUS_BAD_REQUEST, "The status must be a number from %d to %d.",
                         STATUS_MIN, STATUS_MAX);
        return;
    }
    const char *reason = status_reason((unsigned)code);
    response->status = (unsigned)code;
    response->content_type = SPAN_LITERAL("text/plain");
    response->text = (struct span){.data = reason, .length = strlen(reason)};
}

const struct handler status_handler = {.begin = status_begin};
