/* SPDX-License-Identifier: MIT */
/* Finding the route of a request in the table of handlers/routes.h. */
#include "common/session/route.h"

#include "common/handlers/handlers.h"
#include "common/http/request_line.h"

#define ROUTE_ROW(admin, path_text, match, methods, name, help) \
    {{.data = (path_text), .length = sizeof(path_text) - 1},    \
     ROUTE_##match,                                             \
     ROUTE_##methods,                                           \
     (admin),                                                   \
     &name##_handler,                                           \
     (help)},

static const struct route routes[] = {ROUTES(ROUTE_ROW){.handler = NULL}};

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

bool route_is_probe(const struct request *request)
{
    for (const struct route *route = routes; route->handler != NULL; route++) {
        if (route->methods == ROUTE_PROBE && span_equal(request->path, route->path)) {
            return route_offered(route, request->service);
        }
    }
    return false;
}

static bool route_answers(const struct route *route, uint8_t method)
{
    switch (route->methods) {
    case ROUTE_ANY: return true;
    case ROUTE_GET: return method == HTTP_GET || method == HTTP_HEAD;
    case ROUTE_PROBE: return method == HTTP_GET || method == HTTP_HEAD || method == HTTP_OPTIONS;
    }
    return false;
}

static void refuse_method(const struct route *route, struct response *response)
{
    bool probe = route->methods == ROUTE_PROBE;
    response_problem(response, STATUS_METHOD_NOT_ALLOWED,
                     probe ? "This path allows only GET, HEAD and OPTIONS."
                           : "This path allows only GET and HEAD.");
    response->allow = probe ? SPAN_LITERAL(ROUTE_PROBE_METHODS) : SPAN_LITERAL("GET, HEAD");
}

const struct handler *route_find(struct request *request, struct response *response)
{
    const struct route *known = NULL;
    for (const struct route *route = routes; route->handler != NULL; route++) {
        if (!route_matches(route, request) || !route_offered(route, request->service)) {
            continue;
        }
        if (route_answers(route, request->method)) {
            return route->handler;
        }
        known = route;
    }
    if (request->path.data[0] == '*') {
        return &server_options_handler;
    }
    if (known != NULL) {
        refuse_method(known, response);
    } else if (request->service->offers == OFFER_ADMIN) {
        response_problem(response, STATUS_NOT_FOUND,
                         "No such path. This listener serves /metrics, /healthz and /readyz only.");
    } else {
        response_problem(response, STATUS_NOT_FOUND, "No such path. GET / lists all paths.");
    }
    return NULL;
}
