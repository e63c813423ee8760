/* SPDX-License-Identifier: MIT */
/* How long each of a session's timers runs. */
#ifndef ECHOD_SERVER_DRIVERS_SHARED_TIMEOUTS_H
#define ECHOD_SERVER_DRIVERS_SHARED_TIMEOUTS_H

#include <stdint.h>

#include "common/session/session.h"
#include "server/settings/options.h"

/* Milliseconds by enum timer; 0 for TIMER_NONE, which never runs out. A plain value. */
struct timeouts {
    uint64_t limit[TIMER_BODY + 1];
};

/* Those of the options, none above `most`. */
struct timeouts timeouts_of(const struct options *options, uint64_t most);

/* The least that runs at all. */
uint64_t timeouts_least(const struct timeouts *timeouts);

#endif
