/* SPDX-License-Identifier: MIT */
/* Buckets that follow each other without a gap, three significant digits everywhere, percentiles by nearest rank. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "loadtest/swarm/stats/histogram.h"

static struct histogram *new_histogram(void)
{
    struct histogram *histogram = calloc(1, sizeof(*histogram));
    cr_assert_not_null(histogram);
    return histogram;
}

/* The bucket a value is counted in, the only one that is not empty. */
static size_t bucket_of(uint64_t value)
{
    struct histogram *histogram = new_histogram();
    histogram_record(histogram, value);
    size_t bucket = 0;
    while (histogram->counts[bucket] == 0) {
        bucket++;
        cr_assert_lt(bucket, (size_t)HISTOGRAM_BUCKETS);
    }
    free(histogram);
    return bucket;
}

Test(histogram, empty)
{
    struct histogram *histogram = new_histogram();
    cr_expect_eq(histogram_percentile(histogram, 50000), 0);
    cr_expect_eq(histogram_mean(histogram), 0);
    free(histogram);
}

Test(histogram, every_bucket_begins_where_the_last_one_ended)
{
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i += i < 4096 ? 1 : 211) {
        uint64_t end = histogram_upper_end(i);
        cr_assert_eq(bucket_of(end), i, "bucket %zu", i);
        if (i + 1 < HISTOGRAM_BUCKETS) {
            cr_assert_eq(bucket_of(end + 1), i + 1, "behind bucket %zu", i);
        }
    }
    cr_expect_eq(histogram_upper_end(HISTOGRAM_BUCKETS - 1), (UINT64_C(1) << HISTOGRAM_VALUE_BITS) - 1);
}

Test(histogram, three_significant_digits)
{
    for (uint64_t value = 1; value < UINT64_C(1) << HISTOGRAM_VALUE_BITS; value += 1 + value / 97) {
        uint64_t end = histogram_upper_end(bucket_of(value));
        cr_assert(end >= value && end - value <= value / 1000, "%llu is taken for %llu",
                  (unsigned long long)value, (unsigned long long)end);
    }
}

Test(histogram, exact_figures)
{
    struct histogram *histogram = new_histogram();
    static const uint64_t values[] = {5000003, 7, 123456789};
    for (size_t i = 0; i < 3; i++) {
        histogram_record(histogram, values[i]);
    }
    cr_expect_eq(histogram->count, 3);
    cr_expect_eq(histogram->least, 7);
    cr_expect_eq(histogram->most, 123456789);
    cr_expect_float_eq(histogram_mean(histogram), (5000003.0 + 7 + 123456789) / 3, 1e-6);
    free(histogram);
}

Test(histogram, percentiles_are_nearest_ranks)
{
    struct histogram *histogram = new_histogram();
    for (uint64_t value = 1; value <= 1000; value++) {
        histogram_record(histogram, value);
    }
    static const struct {
        uint64_t percentile;
        uint64_t value;
    } cases[] = {{0, 1},       {1, 1},       {100, 1},     {101, 2},      {50000, 500},  {50001, 501},
                 {90000, 900}, {99000, 990}, {99900, 999}, {99901, 1000}, {100000, 1000}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_expect_eq(histogram_percentile(histogram, cases[i].percentile), cases[i].value, "row %zu", i);
    }
    free(histogram);
}

Test(histogram, a_percentile_never_exceeds_the_most)
{
    struct histogram *histogram = new_histogram();
    histogram_record(histogram, 1000000);
    cr_expect_eq(histogram_percentile(histogram, 99900), 1000000);
    free(histogram);
}

Test(histogram, what_is_too_large_is_counted_all_the_same)
{
    struct histogram *histogram = new_histogram();
    uint64_t huge = UINT64_C(3) << HISTOGRAM_VALUE_BITS;
    histogram_record(histogram, 1);
    histogram_record(histogram, huge);
    cr_expect_eq(histogram->counts[HISTOGRAM_BUCKETS - 1], 1);
    cr_expect_eq(histogram_percentile(histogram, 99000), huge);
    free(histogram);
}
