/* SPDX-License-Identifier: MIT */
/* Signals, read from a descriptor by the main thread: SIGTERM and SIGINT begin the drain, and end the process if it has
 * begun; SIGHUP reopens the access log; SIGUSR1 prints the report; SIGUSR2 writes a trace if there is one. */
#ifndef ECHOD_SERVER_ACCEPTOR_SIGNALS_H
#define ECHOD_SERVER_ACCEPTOR_SIGNALS_H

#include <event2/event.h>
#include <event2/event_struct.h>

#include "server/acceptor/acceptor.h"
#include "server/acceptor/drain.h"

struct trace_file;

struct signals {
    struct acceptor *acceptor;
    struct drain *drain;
    struct trace_file *trace;
    int fd; /* a signalfd */
    struct event event;
};

/* The number of descriptors. */
enum { SIGNALS_DESCRIPTORS = 1 };

/* Blocks these signals in the calling thread and the threads that it starts, so that they interrupt no call and stay
 * pending until signals_init. Main thread, before it starts others. */
void signals_block(void);

/* Handles the signals from now on, while the acceptor's base runs. `acceptor`, `drain` and `trace` must outlive it.
 * Returns 0 or a negative errno; after an error there is nothing to undo. Main thread. */
int signals_init(struct signals *signals, struct acceptor *acceptor, struct drain *drain,
                 struct trace_file *trace);
/* Stops handling the signals, which stay blocked. Main thread. */
void signals_deinit(struct signals *signals);

#endif
