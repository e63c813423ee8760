/* SPDX-License-Identifier: MIT */
/* The orderly end of the server: the phases from the first SIGTERM to the end of the last connection. */
#ifndef ECHOD_SERVER_ACCEPTOR_DRAIN_H
#define ECHOD_SERVER_ACCEPTOR_DRAIN_H

#include <event2/event.h>
#include <event2/event_struct.h>

#include "server/acceptor/acceptor.h"

/* The interval at which the mode is told to drain, until all connections are closed. */
enum { DRAIN_AGAIN_MS = 50 };

enum drain_phase {
    DRAIN_NOT,   /* has not begun */
    DRAIN_DELAY, /* --drain-delay: still accepts; /readyz says 503, and answers say `Connection: close` */
    /* Accepts the connections in the kernel's queues and closes the listeners; waits for the last connection, up to
     * --drain-timeout. */
    DRAIN_CLOSING,
    DRAIN_CUTTING, /* the timeout is over: remaining connections are cut off, without an answer */
    DRAIN_OVER,    /* acceptor_run returns */
};

struct drain {
    struct acceptor *acceptor;
    enum drain_phase phase;
    struct event step;                /* the end of the delay; then the interval at which the mode is told */
    struct event deadline;            /* the drain timeout; then the time for connections that are cut off */
    uint64_t crashed;                 /* the number of crashed processes before the drain */
    struct listeners_queue abandoned; /* connections that were not accepted in time */
    uint64_t lingering_since_ms;      /* since when all open connections linger (clock_ms); 0: not all do */
};

/* The main thread calls all functions. */

/* Prepares a drain of `acceptor`, which must outlive it; uses acceptor_on_left. Call before acceptor_run. */
void drain_init(struct drain *drain, struct acceptor *acceptor);
/* Removes the timers. */
void drain_deinit(struct drain *drain);

/* Begins the drain; only once. When it is over, acceptor_run returns: 0, or 1 if a connection was cut off by the drain
 * timeout or lost by a crash. Announces STOPPING=1 to the service manager, which may block (systemd_notify). */
void drain_begin(struct drain *drain);

/* Whether drain_begin was called. */
static inline bool drain_has_begun(const struct drain *drain)
{
    return drain->phase != DRAIN_NOT;
}

#endif
