/* SPDX-License-Identifier: MIT */
/* The regular look at the connections of a reactor whose timers may have expired. */
#ifndef ECHOD_SERVER_DRIVERS_EVENT_SWEEPER_H
#define ECHOD_SERVER_DRIVERS_EVENT_SWEEPER_H

#include "server/drivers/event/reactor_core.h"
#include "server/drivers/shared/timeouts.h"

/* A sweep keeps time, on a timerfd that runs while there are connections: a request sets no timer and reads no clock. A
 * connection whose timer restarted is put into a list once. The next sweep records its time and appends it to the list
 * of that timer, which is ordered by that time. So a sweep touches only the connections that were active since the
 * previous sweep, and those that are due: the cost of a client does not grow with the number of clients. Whether a
 * connection is due is judged by the time of the previous sweep, because events that were ready then have been handled
 * since: a loop that its own work stalled times out no client. A timeout comes up to three ticks late, never early. */
struct sweeper {
    struct reactor_core *core;
    struct timeouts timeouts;
    int timer; /* a timerfd */
    struct event event;
    unsigned interval_ms; /* between two sweeps */
    bool running;         /* the timer runs */
    uint64_t swept_ms;    /* the time of the last sweep */
};

/* All functions: the thread that runs the base, or any thread while no thread runs it. */

/* Sweeps the connections of `core`, which must outlive the sweeper. Returns 0 or a negative errno; after an error there
 * is nothing to undo. */
int sweeper_init(struct sweeper *sweeper, struct reactor_core *core, const struct timeouts *timeouts);
void sweeper_deinit(struct sweeper *sweeper);

/* Makes the timer run: called after a connection was added. It stops when there are neither connections nor lines of
 * the access log. */
void sweeper_start(struct sweeper *sweeper);

#endif
