/* SPDX-License-Identifier: MIT */
/* Finding the route of a request in the table of handlers/routes.h. */
#include "common/route.h"

#include "common/handlers/handlers.h"
#include "common/request_line.h"

#define ROUTE_ROW(admin, path_text, match, methods, name, usage) \
    {{.data = (path_text), .length = sizeof(path_text) - 1},     \
     ROUTE_##match,                                              \
     ROUTE_##methods,                                            \
     (admin),                                                    \
     &name##_handler,                                            \
     (usage)},

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
