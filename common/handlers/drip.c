/* SPDX-License-Identifier: MIT */
/* /drip?numbytes=N&duration=T&delay=T&code=STATUS: N bytes spread evenly over a time. */
#include "common/handlers/routes.h"
#include "common/handlers/wait.h"
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

static bool drip_refuse(struct response *response, const char *allowed)
{
    response_problem(response, STATUS_BAD_REQUEST, "%s", allowed);
    return false;
}

/* Reads one decoded parameter. Returns false, having refused it, if it is not allowed. */
static bool drip_read(const struct request *request, struct response *response, struct drip *drip,
                      struct span name, struct span text)
{
    if (span_equal(name, SPAN_LITERAL("numbytes"))) {
        bool good =
            number_parse_size(text.data, text.length, DRIP_BYTES_MAX, &drip->bytes) == 0 && drip->bytes > 0;
        return good || drip_refuse(response, "numbytes must be from 1 to 10m.");
    }
    if (span_equal(name, SPAN_LITERAL("duration"))) {
        return wait_read(request, response, "duration", text, &drip->duration_ms);
    }
    if (span_equal(name, SPAN_LITERAL("delay"))) {
        return wait_read(request, response, "delay", text, &drip->delay_ms);
    }
    if (span_equal(name, SPAN_LITERAL("code"))) {
        bool good = number_parse_u64(text.data, text.length, STATUS_MAX, &drip->code) == 0 &&
                    drip->code >= STATUS_MIN;
        return good || drip_refuse(response, "code must be a number from 200 to 599.");
    }
    return drip_refuse(response, "Unknown parameter: only numbytes, duration, delay and code are allowed.");
}

static void drip_begin(const struct request *request, struct response *response)
{
    uint64_t most = request->service->max_delay_ms;
    struct drip drip = {.bytes = DRIP_BYTES,
                        .duration_ms = DRIP_DURATION_MS < most ? DRIP_DURATION_MS : most,
                        .code = STATUS_OK};
    struct span query = request->query;
    struct parameter p;
    while (query_next(&query, &p)) {
        char *text = response->store;
        ssize_t length = p.value.length <= RESPONSE_STORE_SIZE ? query_decode(p.value, text) : -1;
        /* A text that is too long or cannot be decoded is read as an empty one, which no parameter may be. */
        if (!drip_read(request, response, &drip, p.name,
                       (struct span){text, length < 0 ? 0 : (size_t)length})) {
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
