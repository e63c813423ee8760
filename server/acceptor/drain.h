/* SPDX-License-Identifier: MIT */
/* The orderly end of the server: the phases from the first SIGTERM to the close of the last connection. */
#ifndef ECHOD_SERVER_ACCEPTOR_DRAIN_H
#define ECHOD_SERVER_ACCEPTOR_DRAIN_H

#include <event2/event.h>
#include <event2/event_struct.h>

#include "server/acceptor/acceptor.h"

/* How often the mode is told to drain, until all connections are closed. */
enum { DRAIN_AGAIN_MS = 50 };

enum drain_phase {
    DRAIN_NOT,   /* it has not begun */
    DRAIN_DELAY, /* --drain-delay: accepting on, while /readyz says 503 and last answers `Connection: close` */
    /* No longer listening once the kernel's queue is accepted; waiting for the last connection, at most
     * --drain-timeout. */
    DRAIN_CLOSING,
    DRAIN_CUTTING, /* the timeout is over: what is there is told to end without an answer */
    DRAIN_OVER,
};

struct drain {
    struct acceptor *acceptor;
    enum drain_phase phase;
    struct event step;                /* the delay's end; then, again and again, to tell the mode */
    struct event deadline;            /* the drain timeout; then, until when what is cut off has to end */
    uint64_t crashed;                 /* processes, before the drain */
    struct listeners_queue abandoned; /* connections that were not accepted in time */
    uint64_t lingering_since_ms;      /* since when all that are open only linger; 0: others are open */
};

/* Prepares a drain of the acceptor, which outlives it, before acceptor_run. Main thread, as all functions here. */
void drain_init(struct drain *drain, struct acceptor *acceptor);
void drain_deinit(struct drain *drain);

/* Begins the drain; only once. acceptor_run returns when it is over: with 0 if every connection was served to its end. */
void drain_begin(struct drain *drain);

/* Whether it has begun. */
static inline bool drain_has_begun(const struct drain *drain)
{
    return drain->phase != DRAIN_NOT;
}

#endif
