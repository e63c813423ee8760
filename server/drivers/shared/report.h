/* SPDX-License-Identifier: MIT */
/* SIGUSR1: how many connections are in which state, and what each worker does, as lines on stderr. */
#ifndef ECHOD_SERVER_DRIVERS_SHARED_REPORT_H
#define ECHOD_SERVER_DRIVERS_SHARED_REPORT_H

#include "server/drivers/event/reactor.h"

/* One report on its way: loops count their connections in their own threads, and who is last prints the sums. */
struct report {
    struct scoreboard *scoreboard;
    _Atomic uint64_t counts[ACTIVITY_KINDS];
    _Atomic unsigned missing; /* who has not counted yet */
    _Atomic bool busy;        /* it is not printed yet */
};

/* Begins one, unless one is being made. The main thread, as all functions but the last two. */
bool report_begin(struct report *report, struct scoreboard *scoreboard);
/* Somebody else will count and call report_end. */
void report_expect(struct report *report);
/* Connections that wait in a queue are in a state too. */
void report_add(struct report *report, enum activity activity, uint64_t count);
/* Counts connections by what the counters from `first` on say that they do. */
void report_counters(struct report *report, size_t first, size_t count);
/* The same counters, each as a worker's, with a line each. */
void report_workers(const struct report *report, const char *name, size_t first, size_t count);

/* Counts a reactor's connections. The reactor's thread. */
void report_reactor(struct report *report, const struct reactor *reactor);
/* One has counted all it has. Any thread. */
void report_end(struct report *report);

#endif
