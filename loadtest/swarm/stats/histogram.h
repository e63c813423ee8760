/* SPDX-License-Identifier: MIT */
/* A log-linear histogram: values are counted in buckets whose width grows with them, so that each is known to three
 * significant digits whatever its size. */
#ifndef ECHOD_LOADTEST_SWARM_STATS_HISTOGRAM_H
#define ECHOD_LOADTEST_SWARM_STATS_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

/*
 * Values below 2048 have a bucket each; above, every doubling is divided into 1024 equal buckets, so that a bucket is at
 * most a 1024th as wide as the values in it. Values from 2^42 on (in nanoseconds: 73 minutes) share the last bucket.
 */
enum {
    HISTOGRAM_STEPS = 1024,
    HISTOGRAM_VALUE_BITS = 42,
    HISTOGRAM_BUCKETS = (HISTOGRAM_VALUE_BITS - 9) * HISTOGRAM_STEPS
};

/* All zero is an empty one. The members are for reading. */
struct histogram {
    uint64_t count;
    uint64_t sum;
    uint64_t least; /* 0 while it is empty */
    uint64_t most;
    uint64_t counts[HISTOGRAM_BUCKETS];
};

void histogram_record(struct histogram *histogram, uint64_t value);

/*
 * The value that `per_hundred_thousand` of the recorded values do not exceed (99900: the 99.9th percentile), by nearest
 * rank: the upper end of its bucket, but never more than `most`. 0 if the histogram is empty.
 */
uint64_t histogram_percentile(const struct histogram *histogram, uint64_t per_hundred_thousand);

/* The largest value that falls into bucket `index`. */
uint64_t histogram_upper_end(size_t index);

/* Of all recorded values, exactly. 0 if the histogram is empty. */
double histogram_mean(const struct histogram *histogram);

#endif
