/* SPDX-License-Identifier: MIT */
/* /sse?count=N&interval=T: a stream of events, as an EventSource of a browser reads it. */
#include <stdio.h>

#include "common/handlers/routes.h"
#include "common/handlers/wait.h"
#include "common/base/number.h"
#include "common/http/query.h"

enum {
    SSE_COUNT = 10,
    SSE_COUNT_MAX = 10000,
    SSE_INTERVAL_MS = 1000,
};

/* Behind a proxy, nginx for example: the events must not be kept. */
#define SSE_FIELDS "Cache-Control: no-store\r\nX-Accel-Buffering: no\r\n"

/* Reads one decoded parameter. Returns false, having refused it, if it is not allowed. */
static bool sse_read(const struct request *request, struct response *response, struct span name,
                     struct span value)
{
    if (span_equal(name, SPAN_LITERAL("interval"))) {
        return wait_read(request, response, "interval", value, &response->pace_ms);
    }
    if (span_equal(name, SPAN_LITERAL("count"))) {
        if (number_parse_u64(value.data, value.length, SSE_COUNT_MAX, &response->length) == 0 &&
            response->length > 0) {
            return true;
        }
        response_problem(response, STATUS_BAD_REQUEST, "count must be a number from 1 to %d.", SSE_COUNT_MAX);
    } else {
        response_problem(response, STATUS_BAD_REQUEST,
                         "Unknown parameter: only count and interval are allowed.");
    }
    return false;
}

static void sse_begin(const struct request *request, struct response *response)
{
    struct span query = request->query;
    struct parameter p;
    uint64_t most = request->service->max_delay_ms;
    response->length = SSE_COUNT;
    response->pace_ms = SSE_INTERVAL_MS < most ? SSE_INTERVAL_MS : most;
    while (query_next(&query, &p)) {
        char *text = response->store;
        ssize_t length = p.value.length <= RESPONSE_STORE_SIZE ? query_decode(p.value, text) : -1;
        /* A text that is too long or cannot be decoded is read as an empty one, which no parameter may be. */
        if (!sse_read(request, response, p.name, (struct span){text, length < 0 ? 0 : (size_t)length})) {
            return;
        }
    }
    response->content_type = SPAN_LITERAL("text/event-stream");
    response->body = CONTENT_EVENTS;
    response->close = request->minor_version == 0; /* which ends the body */
    response->failed = buffer_append(&response->fields, SSE_FIELDS, sizeof SSE_FIELDS - 1, response->budget,
                                     BUDGET_MAY_REFUSE) != 0;
}

static size_t sse_event(uint64_t number, uint64_t of, bool end, char *out)
{
    char begin[sizeof "id: " + NUMBER_U64_SIZE] = "event: end";
    if (!end) {
        snprintf(begin, sizeof begin, "id: %llu", (unsigned long long)number);
    }
    return (size_t)snprintf(out, HANDLER_EVENT_SIZE, "%s\ndata: {\"n\":%llu,\"of\":%llu}\n\n", begin,
                            (unsigned long long)number, (unsigned long long)of);
}

const struct handler sse_handler = {.begin = sse_begin, .event = sse_event};
