/* SPDX-License-Identifier: MIT */
/* /healthz and /readyz: for whatever supervises this server, and whatever sends it requests. */
#include "common/handlers/handlers.h"

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
    if (shared_draining(request->service->shared)) {
        response_problem(response, STATUS_SERVICE_UNAVAILABLE, "The server is draining.");
    } else if (request->refused || shared_full(request->service->shared) ||
               shared_queue_full(request->service->shared)) {
        response_problem(response, STATUS_SERVICE_UNAVAILABLE, "The server is full.");
        response->retry_after = true;
    } else if (shared_shortage(request->service->shared) != 0) {
        response_problem(response, STATUS_SERVICE_UNAVAILABLE,
                         "The system has nothing for another connection now.");
        response->retry_after = true;
    } else {
        response->content_type = SPAN_LITERAL("text/plain");
        response->text = SPAN_LITERAL("ready\n");
    }
    answer_options(request, response);
}

const struct handler healthz_handler = {.begin = healthz_begin};
const struct handler readyz_handler = {.begin = readyz_begin};
