/* SPDX-License-Identifier: MIT */
/* llhttp does the reading; its callbacks keep the little that is wanted of an answer. */
#include "loadtest/swarm/http/response.h"

#include <string.h>

static struct response *response_of(llhttp_t *parser)
{
    return parser->data;
}

static int on_headers_complete(llhttp_t *parser)
{
    return response_of(parser)->to_head && parser->status_code / 100 != 1 ? 1 : 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t length)
{
    struct response *response = response_of(parser);
    const struct response_expectation *expectation = response->expectation;
    if (expectation != NULL && expectation->body != NULL && !response->differs) {
        response->differs = response->body_length + length > expectation->length ||
                            memcmp(expectation->body + response->body_length, at, length) != 0;
    }
    response->body_length += length;
    return 0;
}

static int on_message_complete(llhttp_t *parser)
{
    struct response *response = response_of(parser);
    if (parser->status_code / 100 == 1) {
        response->body_length = 0;
        return 0;
    }
    response->status = parser->status_code;
    response->keep_alive = llhttp_should_keep_alive(parser);
    response->whole = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t SETTINGS = {
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

void response_begin(struct response *response, const struct response_expectation *expectation, bool to_head)
{
    *response = (struct response){.expectation = expectation, .to_head = to_head};
    llhttp_init(&response->parser, HTTP_RESPONSE, &SETTINGS);
    response->parser.data = response;
}

static enum response_progress response_fail(struct response *response, const char *error)
{
    response->error = error;
    return RESPONSE_BAD;
}

enum response_progress response_feed(struct response *response, const char *bytes, size_t length,
                                     size_t *used)
{
    *used = 0;
    if (response->error != NULL || response->whole) {
        return response->whole ? RESPONSE_DONE : RESPONSE_BAD;
    }
    llhttp_errno_t error = llhttp_execute(&response->parser, bytes, length);
    if (response->whole) {
        *used = error == HPE_OK ? length : (size_t)(llhttp_get_error_pos(&response->parser) - bytes);
        return RESPONSE_DONE;
    }
    if (error == HPE_OK) {
        *used = length;
        return RESPONSE_MORE;
    }
    if (error == HPE_PAUSED_UPGRADE) {
        return response_fail(response, "a protocol switch that nobody asked for");
    }
    const char *reason = llhttp_get_error_reason(&response->parser);
    return response_fail(response, reason != NULL && *reason != '\0' ? reason : llhttp_errno_name(error));
}

enum response_progress response_end(struct response *response)
{
    if (response->error != NULL) {
        return RESPONSE_BAD;
    }
    if (!response->whole) {
        llhttp_finish(&response->parser);
    }
    return response->whole ? RESPONSE_DONE : response_fail(response, "closed before the answer's end");
}

bool response_body_right(const struct response *response)
{
    const struct response_expectation *expectation = response->expectation;
    return expectation == NULL ||
           (!response->differs && (!expectation->has_length || response->body_length == expectation->length));
}

const char *response_error(const struct response *response)
{
    return response->error;
}
