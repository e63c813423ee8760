/* SPDX-License-Identifier: MIT */
/* The table of paths, searched in this order: the first row that matches path and method answers. A new path is a new
 * file in this folder, which defines a `const struct handler NAME_handler`, and a row here:
 *
 *     ROUTE(path, enum route_match, enum route_methods, NAME, help for the list at /)
 *
 * A row with ADMIN instead of ROUTE moves to the listener of --admin-listen if there is one. "Adding" in ARCHITECTURE.md
 * lists the tests and documents of a path. */
#ifndef ECHOD_COMMON_HANDLERS_ROUTES_H
#define ECHOD_COMMON_HANDLERS_ROUTES_H

#include "common/session/route.h"

/* clang-format off */
#define ROUTES(ROUTE, ADMIN) \
    ROUTE("/plaintext", EXACT, GET, plaintext, "/plaintext        Hello, World!") \
    ROUTE("/echo", TREE, ANY, echo, "/echo             the request's body, byte for byte; ?status= ?delay= ?header=N:V ?close= ?abort=") \
    ROUTE("/", EXACT, GET, index, NULL) \
    ROUTE("/", EXACT, ANY, echo, NULL) \
    ROUTE("/anything", TREE, ANY, anything, "/anything         the request as JSON") \
    ROUTE("/headers", EXACT, GET, headers, "/headers          the header fields as JSON") \
    ROUTE("/ip", EXACT, GET, ip, "/ip               your address as JSON") \
    ROUTE("/status/", PARAMETER, ANY, status, "/status/{code}    that status, 200 to 599") \
    ROUTE("/delay/", PARAMETER, ANY, delay, "/delay/{time}     an answer after that time") \
    ROUTE("/block/", PARAMETER, ANY, block, "/block/{time}     the same, with a call that blocks its thread") \
    ROUTE("/compute/", PARAMETER, ANY, compute, "/compute/{rounds} rounds of an integer mixer: CPU-bound work") \
    ROUTE("/drip", EXACT, GET, drip, "/drip             ?numbytes= bytes over ?duration=, after ?delay=, with ?code=") \
    ROUTE("/sse", EXACT, GET, sse, "/sse              ?count= events, one each ?interval=") \
    ROUTE("/bytes/", PARAMETER, GET, bytes, "/bytes/{n}        n bytes, at most 1 GiB") \
    ADMIN("/healthz", EXACT, PROBE, healthz, "/healthz          200 while the server is alive") \
    ADMIN("/readyz", EXACT, PROBE, readyz, "/readyz           200, or 503 while draining or full") \
    ADMIN("/metrics", EXACT, GET, metrics, "/metrics          counters for Prometheus") \
    ROUTE("/version", EXACT, GET, version, "/version          versions as JSON")
/* clang-format on */

#define ROUTE_DECLARE(path, match, methods, name, help) extern const struct handler name##_handler;
ROUTES(ROUTE_DECLARE, ROUTE_DECLARE)
#undef ROUTE_DECLARE

extern const struct routes routes_all;   /* without --admin-listen: all rows */
extern const struct routes routes_main;  /* with it: the rows with ROUTE */
extern const struct routes routes_admin; /* for its listener: the rows with ADMIN */

#endif
