/* SPDX-License-Identifier: MIT */
/* The server's orderly end: the signals that ask for it, and the steps from there to the last connection's close. */
#ifndef ECHOD_SERVER_ACCEPTOR_DRAIN_H
#define ECHOD_SERVER_ACCEPTOR_DRAIN_H

#include <event2/event.h>
#include <event2/event_struct.h>

#include "server/net/listeners.h"

struct acceptor;

enum drain_phase {
    DRAIN_NOT,   /* no signal came */
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
    int signals; /* a signalfd */
    struct event signal_event;
    struct event step;                /* the delay's end; then, again and again, to tell the mode */
    struct event deadline;            /* the drain timeout; then, until when what is cut off has to end */
    uint64_t crashed;                 /* processes, before the signal */
    struct listeners_queue abandoned; /* connections that were not accepted in time */
    uint64_t lingering_since_ms;      /* since when all that are open only linger; 0: others are open */
};

/* Keeps SIGTERM, SIGINT, SIGHUP and SIGUSR1 from interrupting anybody: they are read from a descriptor. Before any thread starts. */
void drain_block_signals(void);

/* systemd_notify, and a line on stderr if that fails. */
void drain_notify(const char *state);

/* Watches for the signals on the acceptor's base. 0 or a negative errno; then there is nothing to undo. */
int drain_init(struct drain *drain, struct acceptor *acceptor);
void drain_deinit(struct drain *drain);

/* A connection is no longer counted, or the listeners are closed: perhaps that was the last. The acceptor's thread. */
void drain_advance(struct drain *drain);

#endif
