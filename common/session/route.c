/* SPDX-License-Identifier: MIT */
/* The lookup: the first row that matches path and method. */
#include "common/session/route.h"

#include "common/http/request_line.h"

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
    for (const struct route *route = request->service->routes.rows; route->handler != NULL; route++) {
        if (route->methods == ROUTE_PROBE && span_equal(request->path, route->path)) {
            return true;
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
    for (const struct route *route = request->service->routes.rows; route->handler != NULL; route++) {
        if (!route_matches(route, request)) {
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
    } else {
        response_problem(response, STATUS_NOT_FOUND, "%s", request->service->routes.not_found);
    }
    return NULL;
}
