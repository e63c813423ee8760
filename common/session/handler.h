/* SPDX-License-Identifier: MIT */
/* The interface of handlers: the functions that answer a path. */
#ifndef ECHOD_COMMON_SESSION_HANDLER_H
#define ECHOD_COMMON_SESSION_HANDLER_H

#include "common/session/exchange/response.h"

/* The treatment of a request's body. */
enum handler_body {
    HANDLER_DISCARDS, /* read to its end and dropped */
    HANDLER_ECHOES,   /* streamed back if the response's content is CONTENT_ECHO */
    HANDLER_HOLDS,    /* kept whole, up to HANDLER_HOLD_MAX bytes, for `finish` */
};

enum {
    HANDLER_HOLD_MAX = 1024 * 1024,
    HANDLER_EVENT_SIZE = 128,
};

/* The functions of a path. They do not know the mode: the response says what they need. Any thread may call them,
 * several at once. */
struct handler {
    enum handler_body body;
    /* Called when the head is complete: sets the status, or refuses with response_problem. Spans in the response
     * must point to static text, to the request or to the response's own memory. */
    void (*begin)(const struct request *request, struct response *response);
    /* With HANDLER_HOLDS: called when the request is complete. */
    void (*finish)(const struct request *request, struct response *response);
    /* If the response has `work`: called when the work has run, to fill in the answer. */
    void (*complete)(const struct work *work, struct response *response);
    /* With CONTENT_PRODUCED: writes the bytes [offset, offset + length) of the body to `out`. */
    void (*produce)(uint64_t offset, char *out, size_t length);
    /* With CONTENT_EVENTS: writes the event with this number, from 1 to `of`, to `out`; with `end` the event that ends
     * the stream early, after that many others. Returns its length, at most HANDLER_EVENT_SIZE. */
    size_t (*event)(uint64_t number, uint64_t of, bool end, char *out);
};

#endif
