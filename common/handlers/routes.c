/* SPDX-License-Identifier: MIT */
/* Three tables from one list. */
#include "common/handlers/routes.h"

#define ROW(path_text, match_kind, methods_kind, name, help_text)    \
    {.path = {.data = (path_text), .length = sizeof(path_text) - 1}, \
     .match = ROUTE_##match_kind,                                    \
     .methods = ROUTE_##methods_kind,                                \
     .handler = &name##_handler,                                     \
     .help = (help_text)},
#define NO_ROW(path_text, match_kind, methods_kind, name, help_text)

static const struct route all[] = {ROUTES(ROW, ROW){.handler = NULL}};
static const struct route main_rows[] = {ROUTES(ROW, NO_ROW){.handler = NULL}};
static const struct route admin_rows[] = {ROUTES(NO_ROW, ROW){.handler = NULL}};

static const char nothing[] = "No such path. GET / lists all paths.";

const struct routes routes_all = {.rows = all, .not_found = nothing};
const struct routes routes_main = {.rows = main_rows, .not_found = nothing};
const struct routes routes_admin = {
    .rows = admin_rows,
    .not_found = "No such path. This listener serves /metrics, /healthz and /readyz only."};
