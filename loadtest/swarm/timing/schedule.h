/* SPDX-License-Identifier: MIT */
/* When the requests of a constant rate are due: number n (from 0) at start + n / rate, whatever became of those
 * before. */
#ifndef ECHOD_LOADTEST_SWARM_TIMING_SCHEDULE_H
#define ECHOD_LOADTEST_SWARM_TIMING_SCHEDULE_H

#include <stdint.h>

/* Times are in nanoseconds of the monotonic clock. */
struct schedule {
    uint64_t start;
    uint64_t rate; /* requests per second, 1 to SCHEDULE_RATE_MAX */
};

#define SCHEDULE_RATE_MAX UINT64_C(10000000)

/* When request `number` is due. Exact to the nanosecond below it, so that no rounding adds up. */
uint64_t schedule_due(const struct schedule *schedule, uint64_t number);

/* How many requests are due at `now` or before: request n counts from schedule_due(n) on. 0 before the start. */
uint64_t schedule_count(const struct schedule *schedule, uint64_t now);

#endif
