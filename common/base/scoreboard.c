/* SPDX-License-Identifier: MIT */
/* Creates and removes the shared mapping; the buckets of durations. */
#include "common/base/scoreboard.h"

#include <sys/mman.h>

struct scoreboard *scoreboard_new(size_t count, uint64_t held_limit)
{
    size_t rare = sizeof(struct scoreboard) + count * sizeof(struct counters);
    size_t size = rare + count * sizeof(struct rare_counters);
    /* NORESERVE: a server that may serve a million connections has a million counters, and touches only those that it
     * uses. */
    void *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        return NULL;
    }
    struct scoreboard *scoreboard = memory;
    scoreboard->held_limit = held_limit;
    scoreboard->counters_count = count;
    scoreboard->mapping_size = size;
    scoreboard->rare = (struct rare_counters *)(void *)((char *)memory + rare);
    return scoreboard;
}

void scoreboard_free(struct scoreboard *scoreboard)
{
    if (scoreboard != NULL) {
        munmap(scoreboard, scoreboard->mapping_size);
    }
}

const char *const activity_names[ACTIVITY_KINDS] = {
    [ACTIVITY_NONE] = "free",       [ACTIVITY_QUEUED] = "queued",       [ACTIVITY_IDLE] = "idle",
    [ACTIVITY_READING] = "reading", [ACTIVITY_SENDING] = "sending",     [ACTIVITY_WAITING] = "waiting",
    [ACTIVITY_WORKING] = "working", [ACTIVITY_LINGERING] = "lingering",
};

const uint64_t counters_bounds_us[COUNTERS_BUCKETS - 1] = {500,   1000,   2500,   5000,    10000,   25000,
                                                           50000, 100000, 250000, 1000000, 10000000};

void counters_add_duration(struct counters *counters, uint64_t us)
{
    int bucket = 0;
    while (bucket < COUNTERS_BUCKETS - 1 && us > counters_bounds_us[bucket]) {
        bucket++;
    }
    counters_add(&counters->durations[bucket], 1);
    counters_add(&counters->duration_us, us);
}
