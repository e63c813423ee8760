/* SPDX-License-Identifier: MIT */
/* /drip?numbytes=N&duration=T: N bytes spread evenly over a time. */
#include "common/handlers/handlers.h"
#include "common/number.h"
#include "common/query.h"

enum {
    DRIP_BYTES = 10,
    DRIP_BYTES_MOST = 10 * 1024 * 1024,
    DRIP_DURATION_MS = 2000,
};

static void drip_begin(const struct request *request, struct response *response)
{
    uint64_t bytes = DRIP_BYTES;
    uint64_t duration = DRIP_DURATION_MS;
    struct span query = request->query;
    struct parameter p;
    while (query_next(&query, &p)) {
        char *text = response->store;
        ssize_t length = p.value.length <= RESPONSE_STORE_SIZE ? query_decode(p.value, text) : -1;
        if (span_equal(p.name, SPAN_LITERAL("numbytes")) &&
            (length < 0 || number_parse_size(text, (size_t)length, DRIP_BYTES_MOST, &bytes) != 0 ||
             bytes == 0)) {
            response_problem(response, STATUS_BAD_REQUEST, "numbytes must be from 1 to 10m.");
            return;
        }
        if (span_equal(p.name, SPAN_LITERAL("duration")) &&
            (length < 0 ||
             number_parse_duration_ms(text, (size_t)length, HANDLER_WAIT_MOST_MS, &duration) != 0)) {
            response_problem(response, STATUS_BAD_REQUEST, "duration must be a time from 0 to 10 s.");
            return;
        }
    }
    response->content_type = SPAN_LITERAL("application/octet-stream");
    response->body = CONTENT_PRODUCED;
    response->length = bytes;
    response->pace_ms = duration;
}

static void drip_produce(uint64_t offset, char *out, size_t length)
{
    (void)offset;
    memset(out, '*', length);
}

const struct handler drip_handler = {.begin = drip_begin, .produce = drip_produce};
