/* SPDX-License-Identifier: MIT */
/* The table of paths, looked through in this order: the first that matches path and method answers. A new path is a new file
 * in this folder, which defines a `const struct handler NAME_handler`, and a line here:
 *
 *     ROUTE(whether --admin-listen moves it, path, enum route_match, enum route_methods, NAME, help for the list at /)
 */
#ifndef ECHOD_COMMON_HANDLERS_ROUTES_H
#define ECHOD_COMMON_HANDLERS_ROUTES_H

/* clang-format off */
#define ROUTES(ROUTE) \
    ROUTE(false, "/plaintext", EXACT, GET, plaintext, "/plaintext        Hello, World!") \
    ROUTE(false, "/echo", TREE, ANY, echo, "/echo             the request's body, byte for byte; ?status= ?delay= ?header=N:V ?close=") \
    ROUTE(false, "/", EXACT, GET, index, NULL) \
    ROUTE(false, "/", EXACT, ANY, echo, NULL) \
    ROUTE(false, "/anything", TREE, ANY, anything, "/anything         the request as JSON") \
    ROUTE(false, "/headers", EXACT, GET, headers, "/headers          the header fields as JSON") \
    ROUTE(false, "/ip", EXACT, GET, ip, "/ip               your address as JSON") \
    ROUTE(false, "/status/", PARAMETER, ANY, status, "/status/{code}    that status, 200 to 599") \
    ROUTE(false, "/delay/", PARAMETER, ANY, delay, "/delay/{time}     an answer after that time, at most 10 s") \
    ROUTE(false, "/block/", PARAMETER, ANY, block, "/block/{time}     the same, with a call that blocks its thread") \
    ROUTE(false, "/compute/", PARAMETER, ANY, compute, "/compute/{rounds} rounds of an integer mixer: CPU-bound work") \
    ROUTE(false, "/drip", EXACT, GET, drip, "/drip             ?numbytes= bytes over ?duration=, after ?delay=, with ?code=") \
    ROUTE(false, "/bytes/", PARAMETER, GET, bytes, "/bytes/{n}        n bytes, at most 1 GiB") \
    ROUTE(true, "/healthz", EXACT, PROBE, healthz, "/healthz          200 while the server is alive") \
    ROUTE(true, "/readyz", EXACT, PROBE, readyz, "/readyz           200, or 503 while draining or full") \
    ROUTE(true, "/metrics", EXACT, GET, metrics, "/metrics          counters for Prometheus") \
    ROUTE(false, "/version", EXACT, GET, version, "/version          versions as JSON")
/* clang-format on */

#endif
