/* SPDX-License-Identifier: MIT */
/* The mapping: empty at first, one cache line or more for each owner of counters, and the same memory in a child
 * process. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/scoreboard.h"

Test(scoreboard, begins_empty)
{
    static const size_t counts[] = {0, 1, 2, 1000};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct scoreboard *scoreboard = scoreboard_new(counts[i], 4711);
        cr_assert_not_null(scoreboard);
        cr_expect_eq(scoreboard->counters_count, counts[i]);
        cr_expect_eq(scoreboard->held_limit, 4711);
        cr_expect(!scoreboard_draining(scoreboard) && !scoreboard_full(scoreboard));
        cr_expect_eq(atomic_load(&scoreboard->held), 0);
        cr_expect_eq(atomic_load(&scoreboard->open), 0);
        for (size_t j = 0; j < counts[i]; j++) {
            static const struct counters empty;
            cr_expect_eq(memcmp(&scoreboard->counters[j], &empty, sizeof empty), 0, "slot %zu", j);
        }
        scoreboard_free(scoreboard);
    }
    scoreboard_free(NULL);
}

/* Two writers never share a cache line. */
Test(scoreboard, counters_are_apart)
{
    struct scoreboard *scoreboard = scoreboard_new(3, 0);
    for (size_t i = 0; i < 3; i++) {
        cr_expect_eq((uintptr_t)&scoreboard->counters[i] % 64, 0);
    }
    cr_expect_eq(sizeof(struct counters) % 64, 0);
    cr_expect_eq((uintptr_t)&scoreboard->held % 64, 0);
    scoreboard_free(scoreboard);
}

/* A million sets of counters that nobody uses cost address space, not memory. */
Test(scoreboard, many_counters)
{
    struct scoreboard *scoreboard = scoreboard_new(1000 * 1000, 0);
    cr_assert_not_null(scoreboard);
    counters_add(&scoreboard->counters[999999].sent, 5);
    cr_expect_eq(atomic_load(&scoreboard->counters[999999].sent), 5);
    scoreboard_free(scoreboard);
}

Test(scoreboard, no_memory_is_an_error)
{
    cr_expect_null(scoreboard_new(SIZE_MAX / sizeof(struct counters) / 2, 0));
}

Test(scoreboard, a_child_counts_in_it)
{
    struct scoreboard *scoreboard = scoreboard_new(2, 0);
    int status = -1;
    counters_add(&scoreboard->counters[0].received, 1);
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        counters_add(&scoreboard->counters[0].received, 41);
        atomic_store(&scoreboard->draining, true);
        _exit(0);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect_eq(status, 0);
    cr_expect_eq(atomic_load(&scoreboard->counters[0].received), 42);
    cr_expect_eq(atomic_load(&scoreboard->counters[1].received), 0);
    cr_expect(scoreboard_draining(scoreboard));
    scoreboard_free(scoreboard);
}

/* In microseconds; each bucket holds its bound. */
static const struct {
    uint64_t us;
    int bucket;
} durations[] = {{0, 0}, {500, 0}, {501, 1}, {1000, 1}, {10000000, 10}, {10000001, 11}, {UINT32_MAX, 11}};

Test(scoreboard, each_duration_has_its_bucket)
{
    for (size_t i = 0; i < sizeof durations / sizeof durations[0]; i++) {
        static struct counters counters;
        counters = (struct counters){0};
        counters_add_duration(&counters, durations[i].us);
        for (int bucket = 0; bucket < COUNTERS_BUCKETS; bucket++) {
            cr_expect_eq(atomic_load(&counters.durations[bucket]), bucket == durations[i].bucket,
                         "%llu us, bucket %d", (unsigned long long)durations[i].us, bucket);
        }
        cr_expect_eq(atomic_load(&counters.duration_us), durations[i].us);
    }
}
