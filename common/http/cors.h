/* SPDX-License-Identifier: MIT */
/* What browsers want before they show a page the answers of another origin (CORS, of the Fetch standard). */
#ifndef ECHOD_COMMON_HTTP_CORS_H
#define ECHOD_COMMON_HTTP_CORS_H

#include "common/http/request.h"

/* Field lines that every answer has with --cors: any origin, no credentials, the same whoever asks. Static. */
struct span cors_fields(void);

/* Whether the request is a preflight: OPTIONS with Origin and Access-Control-Request-Method. Any thread. */
bool cors_preflight(const struct request *request);

/* The same fields, and what else the answer to a preflight has. Static. */
struct span cors_preflight_fields(void);

#endif
