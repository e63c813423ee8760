/* SPDX-License-Identifier: MIT */
/* SIGUSR1: a tally of how many connections are in which state, and what each worker does, as lines on stderr. */
#ifndef ECHOD_SERVER_DRIVERS_SHARED_REPORT_H
#define ECHOD_SERVER_DRIVERS_SHARED_REPORT_H

#include "common/base/scoreboard.h"

/* One report on its way: loops count their connections in their own threads, and the last to end prints the sums. */
struct report {
    struct scoreboard *scoreboard;
    _Atomic uint64_t counts[ACTIVITY_KINDS];
    _Atomic unsigned missing; /* how many have not counted yet */
    _Atomic bool busy;        /* it is not printed yet */
};

/* Begins one. False, with a line on stderr, if the one before is not printed yet. The main thread. */
bool report_begin(struct report *report, struct scoreboard *scoreboard);
/* Another thread will count too, and call report_end. The main thread. */
void report_expect(struct report *report);
/* Adds `count` connections that are in that state. Any thread. */
void report_add(struct report *report, enum activity activity, uint64_t count);
/* Adds a connection for each of the counters from `first` on, in the state that they show. The main thread. */
void report_counters(struct report *report, size_t first, size_t count);
/* Prints a line for each of the counters from `first` on: what their worker does. The main thread. */
void report_workers(const struct report *report, const char *name, size_t first, size_t count);

/* The caller has counted all that it has; the last of the callers prints the sums. Any thread. */
void report_end(struct report *report);

#endif
