/* SPDX-License-Identifier: MIT */
/* The fields that allow a page of another origin to read the answers (CORS, in the Fetch standard). Any thread. */
#ifndef ECHOD_COMMON_HTTP_CORS_H
#define ECHOD_COMMON_HTTP_CORS_H

#include "common/http/request.h"

/* Returns the field lines that every answer has with --cors, each with CRLF, in static memory. They allow any origin,
 * without credentials, and do not depend on the request. */
struct span cors_fields(void);

/* Whether the request is a preflight: OPTIONS with Origin and Access-Control-Request-Method. */
bool cors_preflight(const struct request *request);

/* Returns the same field lines and those that only the answer to a preflight has, in static memory. */
struct span cors_preflight_fields(void);

#endif
