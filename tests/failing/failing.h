/* SPDX-License-Identifier: MIT */
/* Allocations that fail on demand. A program that links echod_failing_allocations (cmake/tests.cmake) has every
 * malloc, calloc, realloc and reallocarray of its own code go through here. */
#ifndef ECHOD_TESTS_FAILING_FAILING_H
#define ECHOD_TESTS_FAILING_FAILING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which allocations fail, counted from 0 since failing_start. Any thread may allocate meanwhile. */
struct failing {
    uint64_t first;  /* the first that fails; UINT64_MAX: none */
    bool all_after;  /* and every one behind it */
    uint64_t one_in; /* 0, or behind `first` one in so many, at random */
    uint64_t seed;   /* of that */
};

void failing_start(struct failing how);
/* Whether allocations may fail now, so that a test's own do not; they are not counted either. One thread. */
void failing_pause(bool paused);
/* How many there were since failing_start. */
uint64_t failing_count(void);

/* The wrapped functions, for libraries that take such pointers. */
void *failing_malloc(size_t size);
void *failing_realloc(void *block, size_t size);

#endif
