/* SPDX-License-Identifier: MIT */
/* The mapping: empty at first, one cache line or more for each slot, and the same memory in a child process. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/scoreboard.h"

Test(shared, begins_empty)
{
    static const size_t counts[] = {0, 1, 2, 1000};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct shared *shared = shared_new(counts[i], 4711);
        cr_assert_not_null(shared);
        cr_expect_eq(shared->slot_count, counts[i]);
        cr_expect_eq(shared->held_limit, 4711);
        cr_expect(!shared_draining(shared) && !shared_full(shared));
        cr_expect_eq(atomic_load(&shared->held), 0);
        cr_expect_eq(atomic_load(&shared->open), 0);
        for (size_t j = 0; j < counts[i]; j++) {
            static const struct slot empty;
            cr_expect_eq(memcmp(&shared->slots[j], &empty, sizeof empty), 0, "slot %zu", j);
        }
        shared_free(shared);
    }
    shared_free(NULL);
}

/* Two writers never share a cache line. */
Test(shared, slots_are_apart)
{
    struct shared *shared = shared_new(3, 0);
    for (size_t i = 0; i < 3; i++) {
        cr_expect_eq((uintptr_t)&shared->slots[i] % 64, 0);
    }
    cr_expect_eq(sizeof(struct slot) % 64, 0);
    cr_expect_eq((uintptr_t)&shared->held % 64, 0);
    shared_free(shared);
}

/* A million slots that nobody uses cost address space, not memory. */
Test(shared, many_slots)
{
    struct shared *shared = shared_new(1000 * 1000, 0);
    cr_assert_not_null(shared);
    slot_add(&shared->slots[999999].sent, 5);
    cr_expect_eq(atomic_load(&shared->slots[999999].sent), 5);
    shared_free(shared);
}

Test(shared, no_memory_is_an_error)
{
    cr_expect_null(shared_new(SIZE_MAX / sizeof(struct slot) / 2, 0));
}

Test(shared, a_child_counts_in_it)
{
    struct shared *shared = shared_new(2, 0);
    int status = -1;
    slot_add(&shared->slots[0].received, 1);
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        slot_add(&shared->slots[0].received, 41);
        atomic_store(&shared->draining, true);
        _exit(0);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect_eq(status, 0);
    cr_expect_eq(atomic_load(&shared->slots[0].received), 42);
    cr_expect_eq(atomic_load(&shared->slots[1].received), 0);
    cr_expect(shared_draining(shared));
    shared_free(shared);
}
