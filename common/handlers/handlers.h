/* SPDX-License-Identifier: MIT */
/* The handlers there are, declared from the table of routes. */
#ifndef ECHOD_COMMON_HANDLERS_HANDLERS_H
#define ECHOD_COMMON_HANDLERS_HANDLERS_H

#include "common/handlers/routes.h"
#include "common/session/route.h"

#define ROUTE_DECLARE(admin, path, match, methods, name, help) extern const struct handler name##_handler;
ROUTES(ROUTE_DECLARE)
#undef ROUTE_DECLARE

/* The longest that a client may have an answer wait. */
enum { HANDLER_WAIT_MAX_MS = 10 * 1000 };

#endif
