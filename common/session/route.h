/* SPDX-License-Identifier: MIT */
/* What a path is answered with: the interface of handlers, and the table that names them. */
#ifndef ECHOD_COMMON_SESSION_ROUTE_H
#define ECHOD_COMMON_SESSION_ROUTE_H

#include "common/session/response.h"

/* What becomes of a request's body. */
enum handler_body {
    HANDLER_DISCARDS, /* read to its end, dropped */
    HANDLER_ECHOES,   /* streamed back, if the response's content is CONTENT_ECHO */
    HANDLER_HOLDS,    /* kept whole, to at most HANDLER_HOLD_MAX, for `finish` */
};

/* The `Allow` of a path with ROUTE_PROBE. */
#define ROUTE_PROBE_METHODS "GET, HEAD, OPTIONS"

enum { HANDLER_HOLD_MAX = 1024 * 1024 };

/* Handlers never know the mode: they say what they need in the response. All of it may run in any thread, several at once. */
struct handler {
    enum handler_body body;
    /* Once the head has come: says the status, or refuses. The spans it leaves in the response point to static text, to
     * the request or to the response's own memory. */
    void (*begin)(const struct request *request, struct response *response);
    /* With HANDLER_HOLDS, once the request is whole. */
    void (*finish)(const struct request *request, struct response *response);
    /* With a response's `work`, once that has run. */
    void (*complete)(const struct work *work, struct response *response);
    /* With CONTENT_PRODUCED: writes bytes [offset, offset + length) of the body to `out`. */
    void (*produce)(uint64_t offset, char *out, size_t length);
};

enum route_match {
    ROUTE_EXACT,     /* the path and no other */
    ROUTE_TREE,      /* the path, and all below it */
    ROUTE_PARAMETER, /* the path, which ends in '/', and one segment */
};

enum route_methods {
    ROUTE_GET,   /* GET and HEAD */
    ROUTE_PROBE, /* those, and OPTIONS, as which haproxy's `option httpchk` asks */
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

/* The answer to `request`: its route's handler, and `parameter` filled in; or NULL with the refusal in `response` (404,
 * or 405 with Allow). Any thread. */
const struct handler *route_find(struct request *request, struct response *response);

/* Whether the path is that of a probe: answered by a full server too, and to OPTIONS with its status. Any thread. */
bool route_is_probe(const struct request *request);

/* Whether the service offers the route. */
static inline bool route_offered(const struct route *route, const struct service *service)
{
    return service->offers == OFFER_ALL || route->admin == (service->offers == OFFER_ADMIN);
}

/* All routes, for the list at `/`; ends with one whose handler is NULL. Static. */
const struct route *route_table(void);

#endif
