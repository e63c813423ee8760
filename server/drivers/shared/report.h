/* SPDX-License-Identifier: MIT */
/* The number of connections in each state: for SIGUSR1 as lines on stderr, with the activity of each worker; for /metrics
 * as a census in the scoreboard. */
#ifndef ECHOD_SERVER_DRIVERS_SHARED_REPORT_H
#define ECHOD_SERVER_DRIVERS_SHARED_REPORT_H

#include "common/base/scoreboard.h"

/* A report in progress. Loops count their connections in their own threads; the last thread to end publishes the sums. */
struct report {
    struct scoreboard *scoreboard;
    _Atomic uint64_t counts[ACTIVITY_KINDS];
    _Atomic unsigned missing; /* the number of threads that have not called report_end yet */
    _Atomic bool busy;        /* it is not complete yet */
    bool prints;              /* on stderr, too */
};

/* Begins a report; the caller must call report_end. `prints`: on stderr, too. Returns false if the previous report is not
 * complete yet. Main thread. */
bool report_begin(struct report *report, struct scoreboard *scoreboard, bool prints);
/* Makes the report wait for another thread, which must call report_end. Main thread. */
void report_expect(struct report *report);
/* Adds `count` connections in this state. Any thread. */
void report_add(struct report *report, enum activity activity, uint64_t count);
/* Adds a connection for each of `count` counters from index `first` on, in the state that they show. Main thread. */
void report_counters(struct report *report, size_t first, size_t count);
/* If the report prints: a line with the activity of each worker, whose counters are the `count` ones from index `first` on; `name`
 * is "worker" or "loop". Main thread. */
void report_workers(const struct report *report, const char *name, size_t first, size_t count);

/* Ends the part of the calling thread. The last thread to call it publishes the sums. Any thread. */
void report_end(struct report *report);

#endif
