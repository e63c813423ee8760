/* SPDX-License-Identifier: MIT */
/* The counters of all threads and processes, added up, as Prometheus reads them. */
#ifndef ECHOD_COMMON_SESSION_METRICS_H
#define ECHOD_COMMON_SESSION_METRICS_H

#include "common/base/json.h"
#include "common/session/service.h"

/* Counts a request that took longer than one pass; the others took less than the first bucket's bound. The thread
 * that writes the counters. */
void metrics_count_duration(struct counters *counters, uint64_t us);

/* Writes the page in the Prometheus text format (version 0.0.4). 0, or a negative errno: no memory or no budget; then
 * `*page` is NULL. Any thread. */
int metrics_write(struct buffer **page, const struct service *service, struct budget budget);

#endif
