/* SPDX-License-Identifier: MIT */
/* GET /: what this server offers, from its table of routes. */
#include "common/handlers/routes.h"

static void index_begin(const struct request *request, struct response *response)
{
    response->content_type = SPAN_LITERAL("text/plain; charset=utf-8");
    int error = buffer_append(&response->content, "echod, an HTTP echo server\n\n", 28, response->budget,
                              BUDGET_MAY_REFUSE);
    for (const struct route *route = request->service->routes.rows; route->handler != NULL && error == 0;
         route++) {
        if (route->help != NULL) {
            error = buffer_append(&response->content, route->help, strlen(route->help), response->budget,
                                  BUDGET_MAY_REFUSE);
            if (error == 0) {
                error = buffer_append(&response->content, "\n", 1, response->budget, BUDGET_MAY_REFUSE);
            }
        }
    }
    response->failed = error != 0;
}

const struct handler index_handler = {.begin = index_begin};
