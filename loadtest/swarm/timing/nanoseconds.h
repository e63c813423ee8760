/* SPDX-License-Identifier: MIT */
/* Points in time: nanoseconds of the monotonic clock. */
#ifndef ECHOD_LOADTEST_SWARM_TIMING_NANOSECONDS_H
#define ECHOD_LOADTEST_SWARM_TIMING_NANOSECONDS_H

#include <stdint.h>
#include <sys/time.h>
#include <time.h>

#define NANOSECONDS_PER_SECOND      UINT64_C(1000000000)
#define NANOSECONDS_PER_MILLISECOND UINT64_C(1000000)
#define NANOSECONDS_NEVER           UINT64_MAX

static inline uint64_t nanoseconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NANOSECONDS_PER_SECOND + (uint64_t)now.tv_nsec;
}

/* For libevent, rounded up to microseconds: nothing is called before its time. */
static inline struct timeval nanoseconds_timeval(uint64_t duration_ns)
{
    uint64_t us = (duration_ns + 999) / 1000;
    return (struct timeval){.tv_sec = (time_t)(us / 1000000), .tv_usec = (suseconds_t)(us % 1000000)};
}

static inline double nanoseconds_to_seconds(uint64_t duration_ns)
{
    return (double)duration_ns / (double)NANOSECONDS_PER_SECOND;
}

#endif
