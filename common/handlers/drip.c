/* SPDX-License-Identifier: MIT */
/* /drip?numbytes=N&duration=T&delay=T&code=STATUS: N bytes spread evenly over a time. */
#include "common/handlers/routes.h"
#include "common/base/number.h"
#include "common/http/query.h"

enum {
    DRIP_BYTES = 10,
    DRIP_BYTES_MAX = 10 * 1024 * 1024,
    DRIP_DURATION_MS = 2000,
};

struct drip {
    uint64_t bytes;
    uint64_t duration_ms;
    uint64_t delay_ms;
    uint64_t code;
};

/* Reads one decoded parameter. Returns NULL, or a sentence that says what is allowed instead. */
static const char *drip_read(struct drip *drip, struct span name, const char *text, size_t length)
{
    if (span_equal(name, SPAN_LITERAL("numbytes"))) {
        bool good = number_parse_size(text, length, DRIP_BYTES_MAX, &drip->bytes) == 0 && drip->bytes > 0;
        return good ? NULL : "numbytes must be from 1 to 10m.";
    }
    if (span_equal(name, SPAN_LITERAL("duration"))) {
        bool good = number_parse_duration_ms(text, length, HANDLER_WAIT_MAX_MS, &drip->duration_ms) == 0;
        return good ? NULL : "duration must be a time from 0 to 10 s.";
    }
    if (span_equal(name, SPAN_LITERAL("delay"))) {
        bool good = number_parse_duration_ms(text, length, HANDLER_WAIT_MAX_MS, &drip->delay_ms) == 0;
        return good ? NULL : "delay must be a time from 0 to 10 s.";
    }
    if (span_equal(name, SPAN_LITERAL("code"))) {
        bool good = number_parse_u64(text, length, STATUS_MAX, &drip->code) == 0 && drip->code >= STATUS_MIN;
        return good ? NULL : "code must be a number from 200 to 599.";
    }
    return "Unknown parameter: only numbytes, duration, delay and code are allowed.";
}

static void drip_begin(const struct request *request, struct response *response)
{
    struct drip drip = {.bytes = DRIP_BYTES, .duration_ms = DRIP_DURATION_MS, .code = STATUS_OK};
    struct span query = request->query;
    struct parameter p;
    while (query_next(&query, &p)) {
        char *text = response->store;
        ssize_t length = p.value.length <= RESPONSE_STORE_SIZE ? query_decode(p.value, text) : -1;
        /* A text that is too long or cannot be decoded is read as an empty one, which no parameter may be. */
        const char *allowed = drip_read(&drip, p.name, text, length < 0 ? 0 : (size_t)length);
        if (allowed != NULL) {
            response_problem(response, STATUS_BAD_REQUEST, "%s", allowed);
            return;
        }
    }
    response->status = (unsigned)drip.code;
    response->content_type = SPAN_LITERAL("application/octet-stream");
    response->body = CONTENT_PRODUCED;
    response->length = drip.bytes;
    response->pace_ms = drip.duration_ms;
    response->wait_ms = drip.delay_ms;
}

static void drip_produce(uint64_t offset, char *out, size_t length)
{
    (void)offset;
    memset(out, '*', length);
}

const struct handler drip_handler = {.begin = drip_begin, .produce = drip_produce};
