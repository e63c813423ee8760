/* SPDX-License-Identifier: MIT */
/* /healthz and /readyz: for whatever supervises this server, and whatever sends it requests. */
#include "common/handlers/routes.h"

/* To OPTIONS the status is the answer, and 204 is success (haproxy's `option httpchk`; a CORS preflight). */
static void answer_options(const struct request *request, struct response *response)
{
    if (request->method != HTTP_OPTIONS) {
        return;
    }
    response->allow = SPAN_LITERAL(ROUTE_PROBE_METHODS);
    if (!response->problem) {
        response->status = STATUS_NO_CONTENT;
    }
}

static void healthz_begin(const struct request *request, struct response *response)
{
    response->content_type = SPAN_LITERAL("text/plain");
    response->text = SPAN_LITERAL("alive\n");
    answer_options(request, response);
}

static void readyz_begin(const struct request *request, struct response *response)
{
    if (scoreboard_draining(request->service->scoreboard)) {
        response_problem(response, STATUS_SERVICE_UNAVAILABLE, "The server is draining.");
    } else if (request->refused || scoreboard_full(request->service->scoreboard) ||
               scoreboard_queue_full(request->service->scoreboard)) {
        response_problem(response, STATUS_SERVICE_UNAVAILABLE, "The server is full.");
        response->retry_after = true;
    } else if (scoreboard_shortage(request->service->scoreboard) != 0) {
        response_problem(response, STATUS_SERVICE_UNAVAILABLE,
                         "The system has no resources for another connection.");
        response->retry_after = true;
    } else {
        response->content_type = SPAN_LITERAL("text/plain");
        response->text = SPAN_LITERAL("ready\n");
    }
    answer_options(request, response);
}

const struct handler healthz_handler = {.begin = healthz_begin};
const struct handler readyz_handler = {.begin = readyz_begin};
