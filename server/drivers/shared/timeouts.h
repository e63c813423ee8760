/* SPDX-License-Identifier: MIT */
/* The timeouts of a session's timers. Any thread. */
#ifndef ECHOD_SERVER_DRIVERS_SHARED_TIMEOUTS_H
#define ECHOD_SERVER_DRIVERS_SHARED_TIMEOUTS_H

#include <stdint.h>

#include "common/session/session.h"
#include "server/settings/options.h"

/* In milliseconds, by enum timer; 0 for TIMER_NONE, which never expires. A plain value. */
struct timeouts {
    uint64_t limit[TIMER_BODY + 1];
};

/* Returns the timeouts of the options, none longer than `most` milliseconds. */
struct timeouts timeouts_of(const struct options *options, uint64_t most);

/* Returns the shortest timeout, without TIMER_NONE. */
uint64_t timeouts_least(const struct timeouts *timeouts);

/* Returns how often a loop looks for timers that have expired, in milliseconds: a sixteenth of the shortest timeout, within two bounds.
 * Shorter intervals would load an idle server, longer ones would make long timeouts too late. */
unsigned timeouts_sweep_interval(const struct timeouts *timeouts);

#endif
