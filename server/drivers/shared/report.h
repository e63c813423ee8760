/* SPDX-License-Identifier: MIT */
/* The report for SIGUSR1, as lines on stderr: the number of connections in each state, and the activity of each
 * worker. */
#ifndef ECHOD_SERVER_DRIVERS_SHARED_REPORT_H
#define ECHOD_SERVER_DRIVERS_SHARED_REPORT_H

#include "common/base/scoreboard.h"

/* A report in progress. Loops count their connections in their own threads; the last thread to end prints the sums. */
struct report {
    struct scoreboard *scoreboard;
    _Atomic uint64_t counts[ACTIVITY_KINDS];
    _Atomic unsigned missing; /* the number of threads that have not called report_end yet */
    _Atomic bool busy;        /* the report is not printed yet */
};

/* Begins a report; the caller must call report_end. Returns false, with a line on stderr, if the previous report is
 * not printed yet. Main thread. */
bool report_begin(struct report *report, struct scoreboard *scoreboard);
/* Makes the report wait for another thread, which must call report_end. Main thread. */
void report_expect(struct report *report);
/* Adds `count` connections in this state. Any thread. */
void report_add(struct report *report, enum activity activity, uint64_t count);
/* Adds a connection for each of `count` counters from index `first` on, in the state that they show. Main thread. */
void report_counters(struct report *report, size_t first, size_t count);
/* Prints a line with the activity of each worker, whose counters are the `count` ones from index `first` on; `name`
 * is "worker" or "loop". Main thread. */
void report_workers(const struct report *report, const char *name, size_t first, size_t count);

/* Ends the part of the calling thread. The last thread to call it prints the sums. Any thread. */
void report_end(struct report *report);

#endif
