/* SPDX-License-Identifier: MIT */
/* Routing: the interface of handlers, and the lookup in the table of paths (common/handlers/routes.h). */
#ifndef ECHOD_COMMON_SESSION_ROUTE_H
#define ECHOD_COMMON_SESSION_ROUTE_H

#include "common/session/response.h"

/* The treatment of a request's body. */
enum handler_body {
    HANDLER_DISCARDS, /* read to its end and dropped */
    HANDLER_ECHOES,   /* streamed back if the response's content is CONTENT_ECHO */
    HANDLER_HOLDS,    /* kept whole, up to HANDLER_HOLD_MAX bytes, for `finish` */
};

/* The Allow field of a path with ROUTE_PROBE. */
#define ROUTE_PROBE_METHODS "GET, HEAD, OPTIONS"

enum { HANDLER_HOLD_MAX = 1024 * 1024 };

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
};

enum route_match {
    ROUTE_EXACT,     /* the path only */
    ROUTE_TREE,      /* the path and all paths below it */
    ROUTE_PARAMETER, /* the path, which ends in '/', and one segment */
};

enum route_methods {
    ROUTE_GET,   /* GET and HEAD */
    ROUTE_PROBE, /* GET, HEAD and OPTIONS, which haproxy's `option httpchk` sends */
    ROUTE_ANY,
};

struct route {
    struct span path;
    enum route_match match;
    enum route_methods methods;
    bool admin; /* see enum offer */
    const struct handler *handler;
    const char
        *help; /* the path as users write it, and what it answers; NULL leaves it out of the list at / */
};

/* Returns the handler of the request's route and fills in `request->parameter`. NULL: `response` has the refusal,
 * 404 or 405 with Allow (RFC 9110, 15.5.5 and 15.5.6). Any thread. */
const struct handler *route_find(struct request *request, struct response *response);

/* Whether the path is a probe: a full server answers it too, and it answers OPTIONS with its status. Any thread. */
bool route_is_probe(const struct request *request);

/* Whether the service offers the route. Any thread. */
static inline bool route_offered(const struct route *route, const struct service *service)
{
    return service->offers == OFFER_ALL || route->admin == (service->offers == OFFER_ADMIN);
}

/* Returns all routes, for the list at `/`, in static memory; the last one has no handler. Any thread. */
const struct route *route_table(void);

#endif
