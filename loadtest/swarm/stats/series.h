/* SPDX-License-Identifier: MIT */
/* What happened in each interval of the window: for a plot over time. */
#ifndef ECHOD_LOADTEST_SWARM_STATS_SERIES_H
#define ECHOD_LOADTEST_SWARM_STATS_SERIES_H

#include <stddef.h>

#include "loadtest/swarm/stats/stats.h"

/* Counts are of what was begun, or ended, in the interval. */
struct series_row {
    uint64_t offered;
    uint64_t good; /* right answers in time */
    uint64_t late;
    uint64_t refused;
    uint64_t failed; /* errors of all kinds */
    uint64_t p50;    /* nanoseconds, of good and late answers together; 0 without one */
    uint64_t p99;
};

/* Times are nanoseconds from the beginning of the window. An event that belongs to a complete row counts in the current
 * row. All zero: a series without intervals, which ignores all events. */
struct series {
    uint64_t interval;
    uint64_t duration;
    size_t count; /* rows in all: the last one may be shorter than the others */
    size_t at;    /* the row of now; those before it are complete */
    struct series_row *rows;
    struct histogram latency; /* of row `at` */
};

/* `interval` 0: without intervals. False if there is no memory. */
bool series_init(struct series *series, uint64_t interval, uint64_t duration);
/* Also of one whose init failed. */
void series_deinit(struct series *series);

/* A request was begun. */
void series_offered(struct series *series, uint64_t now);

/* A request has ended. */
void series_settled(struct series *series, const struct settled *settled, uint64_t now);

/* Completes the rows until the end, which is `now`, or the window's if that is earlier. Returns how many there are. */
size_t series_end(struct series *series, uint64_t now);

/* When row `index` ended, if the whole series ended at `now`. */
uint64_t series_row_end(const struct series *series, size_t index, uint64_t now);

#endif
