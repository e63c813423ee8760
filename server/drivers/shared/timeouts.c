/* SPDX-License-Identifier: MIT */
/* Timeouts, from the options. */
#include "server/drivers/shared/timeouts.h"

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

struct timeouts timeouts_of(const struct options *options, uint64_t most)
{
    return (struct timeouts){
        .limit =
            {
                [TIMER_IDLE] = lesser(options->idle_timeout_ms, most),
                [TIMER_HEADER] = lesser(options->header_timeout_ms, most),
                [TIMER_BODY] = lesser(options->body_timeout_ms, most),
            },
    };
}

uint64_t timeouts_least(const struct timeouts *timeouts)
{
    return lesser(timeouts->limit[TIMER_IDLE],
                  lesser(timeouts->limit[TIMER_HEADER], timeouts->limit[TIMER_BODY]));
}

unsigned timeouts_sweep_interval(const struct timeouts *timeouts)
{
    enum { SWEEPS_PER_TIMEOUT = 16, INTERVAL_MIN_MS = 10, INTERVAL_MAX_MS = 500 };
    uint64_t interval = timeouts_least(timeouts) / SWEEPS_PER_TIMEOUT;
    return interval < INTERVAL_MIN_MS   ? INTERVAL_MIN_MS
           : interval > INTERVAL_MAX_MS ? INTERVAL_MAX_MS
                                        : (unsigned)interval;
}
