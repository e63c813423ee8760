/* SPDX-License-Identifier: MIT */
/* The table of paths. A new path is a new file in handlers/ and a line here. */
#include "common/route.h"

#include "common/handlers/handlers.h"
#include "common/request_line.h"

#define ROUTE_OF(admin, path_text, match, methods, handler, usage)                                       \
    {                                                                                                    \
        {.data = (path_text), .length = sizeof(path_text) - 1}, (match), (methods), (admin), &(handler), \
            (usage)                                                                                      \
    }
#define ROUTE(path, match, methods, handler, usage) ROUTE_OF(false, path, match, methods, handler, usage)
#define ADMIN_ROUTE(path, handler, usage)           ROUTE_OF(true, path, ROUTE_EXACT, ROUTE_GET, handler, usage)

/* Looked through in this order; the first that matches path and method answers. */
static const struct route routes[] = {
    ROUTE("/plaintext", ROUTE_EXACT, ROUTE_GET, plaintext_handler, "/plaintext        Hello, World!"),
    ROUTE("/echo", ROUTE_TREE, ROUTE_ANY, echo_handler,
          "/echo             your body back, byte for byte; ?status= ?delay= ?header=N:V ?close="),
    ROUTE("/", ROUTE_EXACT, ROUTE_GET, index_handler, NULL),
    ROUTE("/", ROUTE_EXACT, ROUTE_ANY, echo_handler, NULL),
    ROUTE("/anything", ROUTE_TREE, ROUTE_ANY, anything_handler, "/anything         your request as JSON"),
    ROUTE("/headers", ROUTE_EXACT, ROUTE_GET, headers_handler, "/headers          its header fields as JSON"),
    ROUTE("/ip", ROUTE_EXACT, ROUTE_GET, ip_handler, "/ip               your address as JSON"),
    ROUTE("/status/", ROUTE_PARAMETER, ROUTE_ANY, status_handler,
          "/status/{code}    that status, 200 to 599"),
    ROUTE("/delay/", ROUTE_PARAMETER, ROUTE_ANY, delay_handler,
          "/delay/{time}     an answer after that time, at most 10 s: waiting"),
    ROUTE("/block/", ROUTE_PARAMETER, ROUTE_ANY, block_handler,
          "/block/{time}     the same, with a call that blocks its thread"),
    ROUTE("/compute/", ROUTE_PARAMETER, ROUTE_ANY, compute_handler,
          "/compute/{rounds} rounds of an integer mixer: CPU-bound work"),
    ROUTE("/drip", ROUTE_EXACT, ROUTE_GET, drip_handler,
          "/drip             ?numbytes= bytes spread over ?duration="),
    ROUTE("/bytes/", ROUTE_PARAMETER, ROUTE_GET, bytes_handler, "/bytes/{n}        n bytes, at most 1 GiB"),
    ADMIN_ROUTE("/healthz", healthz_handler, "/healthz          200 while the server lives"),
    ADMIN_ROUTE("/readyz", readyz_handler, "/readyz           200, or 503 while draining or full"),
    ADMIN_ROUTE("/metrics", metrics_handler, "/metrics          counters for Prometheus"),
    ROUTE("/version", ROUTE_EXACT, ROUTE_GET, version_handler, "/version          versions as JSON"),
    {.handler = NULL},
};

const struct route *route_table(void)
{
    return routes;
}

static bool route_matches(const struct route *route, struct request *request)
{
    struct span path = request->path;
    size_t length = route->path.length;
    if (path.length < length || (route->match == ROUTE_EXACT && path.length > length) ||
        !bytes_equal(path.data, route->path.data, length)) {
        return false;
    }
    switch (route->match) {
    case ROUTE_EXACT: return true;
    case ROUTE_TREE: return path.length == length || path.data[length] == '/';
    case ROUTE_PARAMETER:
        request->parameter = span_between(path.data + length, path.data + path.length);
        return path.length > length &&
               memchr(request->parameter.data, '/', request->parameter.length) == NULL;
    }
    return false;
}

static void server_options_begin(const struct request *request, struct response *response)
{
    (void)request;
    response->status = STATUS_NO_CONTENT;
    response->allow = request_line_methods();
}

/* OPTIONS *: a question about the server as a whole (RFC 9110, 9.3.7). */
static const struct handler server_options_handler = {.begin = server_options_begin};

const struct handler *route_find(struct request *request, struct response *response)
{
    bool known = false;
    for (const struct route *route = routes; route->handler != NULL; route++) {
        if (!route_matches(route, request) || !route_offered(route, request->service)) {
            continue;
        }
        if (route->methods == ROUTE_ANY || request->method == HTTP_GET || request->method == HTTP_HEAD) {
            return route->handler;
        }
        known = true;
    }
    if (request->path.data[0] == '*') {
        return &server_options_handler;
    }
    if (known) {
        response_problem(response, STATUS_METHOD_NOT_ALLOWED, "This path answers GET and HEAD only.");
        response->allow = SPAN_LITERAL("GET, HEAD");
    } else if (request->service->offers == OFFER_ADMIN) {
        response_problem(response, STATUS_NOT_FOUND,
                         "Here are /metrics, /healthz and /readyz, and nothing else.");
    } else {
        response_problem(response, STATUS_NOT_FOUND, "There is nothing at this path; / lists what there is.");
    }
    return NULL;
}
