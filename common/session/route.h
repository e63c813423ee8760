/* SPDX-License-Identifier: MIT */
/* Routing: the lookup of a handler in the table of paths that the service holds. */
#ifndef ECHOD_COMMON_SESSION_ROUTE_H
#define ECHOD_COMMON_SESSION_ROUTE_H

#include "common/session/handler.h"

enum route_match {
    ROUTE_EXACT,     /* the path only */
    ROUTE_TREE,      /* the path and all paths below it */
    ROUTE_PARAMETER, /* the path, which ends in '/', and one segment */
};

enum route_methods {
    ROUTE_GET, /* GET and HEAD */
    /* A probe, with ROUTE_EXACT: GET, HEAD and OPTIONS, which haproxy's `option httpchk` sends. A full server answers
     * it too, on a connection whose other requests get 503. */
    ROUTE_PROBE,
    ROUTE_ANY,
};

/* The Allow field of a path with ROUTE_PROBE. */
#define ROUTE_PROBE_METHODS "GET, HEAD, OPTIONS"

/* A row of a table of paths (struct routes in service.h). */
struct route {
    struct span path;
    enum route_match match;
    enum route_methods methods;
    const struct handler *handler; /* NULL: the end of the table */
    /* The path as users write it, and what it answers; NULL leaves it out of the list at /. */
    const char *help;
};

/* Returns the handler of the request's route and fills in `request->parameter`. NULL: `response` has the refusal,
 * 404 or 405 with Allow (RFC 9110, 15.5.5 and 15.5.6). Any thread. */
const struct handler *route_find(struct request *request, struct response *response);

/* Whether the path is a probe: a full server answers it too, and it answers OPTIONS with its status. Any thread. */
bool route_is_probe(const struct request *request);

#endif
