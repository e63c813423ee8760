/* SPDX-License-Identifier: MIT */
/* /metrics: the server's counters for Prometheus. */
#include "common/session/metrics.h"

#include "common/handlers/routes.h"

static void metrics_begin(const struct request *request, struct response *response)
{
    response->content_type = SPAN_LITERAL("text/plain; version=0.0.4; charset=utf-8");
    response->failed = metrics_write(&response->content, request->service, response->budget) != 0;
}

const struct handler metrics_handler = {.begin = metrics_begin};
