/* SPDX-License-Identifier: MIT */
/* Signals, read from a descriptor by the main thread: SIGTERM and SIGINT begin the drain, and end the process if it has
 * begun; SIGHUP reopens the access log; SIGUSR1 prints the report. */
#ifndef ECHOD_SERVER_ACCEPTOR_SIGNALS_H
#define ECHOD_SERVER_ACCEPTOR_SIGNALS_H

#include <event2/event.h>
#include <event2/event_struct.h>

#include "server/acceptor/acceptor.h"
#include "server/acceptor/drain.h"

struct signals {
    struct acceptor *acceptor;
    struct drain *drain;
    int fd; /* a signalfd */
    struct event event;
};

/* The descriptors that it holds. */
enum { SIGNALS_DESCRIPTORS = 1 };

/* Blocks these signals in the calling thread and those that it starts, so that they interrupt nothing and wait for
 * signals_init. Before any other thread starts. */
void signals_block(void);

/* Reads the signals from now on, while the acceptor's base runs. Returns 0 or a negative errno; after an error there is
 * nothing to undo. `acceptor` and `drain` outlive it. Main thread. */
int signals_init(struct signals *signals, struct acceptor *acceptor, struct drain *drain);
void signals_deinit(struct signals *signals);

#endif
