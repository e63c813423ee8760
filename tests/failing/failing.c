/* SPDX-License-Identifier: MIT */
/* The linker's --wrap leads each call here; __real_ is the one it was meant for. */
#include "tests/failing/failing.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

static struct failing failing = {.first = UINT64_MAX};
static _Atomic uint64_t count;
static _Atomic bool paused;

void failing_start(struct failing how)
{
    failing = how;
    atomic_store(&count, 0);
}

void failing_pause(bool pause)
{
    atomic_store(&paused, pause);
}

uint64_t failing_count(void)
{
    return atomic_load(&count);
}

/* splitmix64 of the allocation's number: the same failures for the same seed, in whatever thread. */
static uint64_t mixed(uint64_t number)
{
    uint64_t z = number * 0x9E3779B97F4A7C15u + failing.seed;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static bool fails(void)
{
    if (atomic_load(&paused)) {
        return false;
    }
    uint64_t number = atomic_fetch_add(&count, 1);
    bool failed = number == failing.first || (number > failing.first && failing.all_after) ||
                  (number > failing.first && failing.one_in > 0 && mixed(number) % failing.one_in == 0);
    if (failed) {
        errno = ENOMEM;
    }
    return failed;
}

/* The linker gives these names. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t members, size_t size);
void *__real_realloc(void *block, size_t size);
void *__real_reallocarray(void *block, size_t members, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t members, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_reallocarray(void *block, size_t members, size_t size);

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t members, size_t size)
{
    return fails() ? NULL : __real_calloc(members, size);
}

void *__wrap_realloc(void *block, size_t size)
{
    return fails() ? NULL : __real_realloc(block, size);
}

void *__wrap_reallocarray(void *block, size_t members, size_t size)
{
    return fails() ? NULL : __real_reallocarray(block, members, size);
}

void *failing_malloc(size_t size)
{
    return __wrap_malloc(size);
}

void *failing_realloc(void *block, size_t size)
{
    return __wrap_realloc(block, size);
}
