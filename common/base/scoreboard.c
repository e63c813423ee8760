/* SPDX-License-Identifier: MIT */
/* The shared mapping's making and end. */
#include "common/base/scoreboard.h"

#include <sys/mman.h>

struct shared *shared_new(size_t slots, uint64_t held_limit)
{
    size_t size = sizeof(struct shared) + slots * sizeof(struct slot);
    /* NORESERVE: a server that may serve a million connections has a million slots, and touches those it uses. */
    void *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        return NULL;
    }
    struct shared *shared = memory;
    shared->held_limit = held_limit;
    shared->slot_count = slots;
    shared->mapping_size = size;
    return shared;
}

void shared_free(struct shared *shared)
{
    if (shared != NULL) {
        munmap(shared, shared->mapping_size);
    }
}
