/* SPDX-License-Identifier: MIT */
/* Makes the shared mapping and ends it. */
#include "common/base/scoreboard.h"

#include <sys/mman.h>

struct scoreboard *scoreboard_new(size_t count, uint64_t held_limit)
{
    size_t size = sizeof(struct scoreboard) + count * sizeof(struct counters);
    /* NORESERVE: a server that may serve a million connections has a million sets of counters, and touches those it
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
    return scoreboard;
}

void scoreboard_free(struct scoreboard *scoreboard)
{
    if (scoreboard != NULL) {
        munmap(scoreboard, scoreboard->mapping_size);
    }
}
