/* SPDX-License-Identifier: MIT */
/* A bucket's number is the value's exponent and its ten leading bits behind the first one. */
#include "loadtest/swarm/stats/histogram.h"

#define STEP_BITS 10
#define VALUE_MAX ((UINT64_C(1) << HISTOGRAM_VALUE_BITS) - 1)
#define EXACT     ((size_t)2 * HISTOGRAM_STEPS) /* values below have a bucket each */
#define WHOLE     UINT64_C(100000)

_Static_assert(HISTOGRAM_STEPS == 1 << STEP_BITS, "a step is a bit pattern");

static size_t bucket_of(uint64_t value)
{
    if (value > VALUE_MAX) {
        value = VALUE_MAX;
    }
    if (value < EXACT) {
        return (size_t)value;
    }
    unsigned shift = 63u - STEP_BITS - (unsigned)__builtin_clzll(value);
    return (size_t)shift * HISTOGRAM_STEPS + (size_t)(value >> shift);
}

uint64_t histogram_upper_end(size_t index)
{
    if (index < EXACT) {
        return index;
    }
    size_t shift = index / HISTOGRAM_STEPS - 1;
    uint64_t step = index - shift * HISTOGRAM_STEPS;
    return ((step + 1) << shift) - 1;
}

void histogram_record(struct histogram *histogram, uint64_t value)
{
    if (histogram->count == 0 || value < histogram->least) {
        histogram->least = value;
    }
    if (value > histogram->most) {
        histogram->most = value;
    }
    histogram->count++;
    histogram->sum += value;
    histogram->counts[bucket_of(value)]++;
}

/* How many values must not exceed the percentile: rounded up, at least one. */
static uint64_t rank_of(uint64_t count, uint64_t per_hundred_thousand)
{
    uint64_t whole = count / WHOLE * per_hundred_thousand;
    uint64_t rank = whole + (count % WHOLE * per_hundred_thousand + WHOLE - 1) / WHOLE;
    return rank == 0 ? 1 : rank;
}

uint64_t histogram_percentile(const struct histogram *histogram, uint64_t per_hundred_thousand)
{
    uint64_t rank = rank_of(histogram->count, per_hundred_thousand);
    uint64_t seen = 0;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->counts[i];
        if (seen >= rank) {
            uint64_t end = histogram_upper_end(i);
            return end < histogram->most && i != HISTOGRAM_BUCKETS - 1 ? end : histogram->most;
        }
    }
    return 0;
}

double histogram_mean(const struct histogram *histogram)
{
    return histogram->count == 0 ? 0 : (double)histogram->sum / (double)histogram->count;
}
