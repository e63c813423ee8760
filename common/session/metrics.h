/* SPDX-License-Identifier: MIT */
/* The sums of all counters, in the text format of Prometheus. */
#ifndef ECHOD_COMMON_SESSION_METRICS_H
#define ECHOD_COMMON_SESSION_METRICS_H

#include "common/base/json.h"
#include "common/session/service.h"

/* Counts the duration of a request that outlived one pass; all others belong to the first bucket. Only the thread
 * that writes the counters. */
void metrics_count_duration(struct counters *counters, uint64_t us);

/* Writes the page of /metrics (Prometheus text format, version 0.0.4) into a new buffer, which the caller owns.
 * Returns 0, or a negative errno if there is no memory or budget; then `*page` is NULL. Any thread. */
int metrics_write(struct buffer **page, const struct service *service, struct budget budget);

#endif
