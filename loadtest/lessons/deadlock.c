/* SPDX-License-Identifier: MIT */
/* Two threads that move money between two accounts, each guarded by a lock: one thread in each direction.
 *
 *     deadlock two-orders|one-order|timeout MILLISECONDS
 *
 * With `two-orders` each thread takes the lock of the account that it takes from first: the program stops when each holds
 * the lock that the other one wants. `one-order` always takes the same lock first. `timeout` takes them as `two-orders`
 * does, but gives up the first where the second does not come in time, and tries again. Both threads move money for that
 * time. Prints one line of JSON; a run has stopped if no transfer was made for a quarter of a second. Exit status 0 in
 * both cases.
 *
 * Compiled with -DFAULT, only `two-orders` is in the program, and the locks' order is declared, so that clang's analysis
 * refuses it; ThreadSanitizer names the same fault when it runs, even where the run does not stop. */

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lock.h"

enum { GIVE_UP_US = 100, LOOK_MS = 10, STOPPED_MS = 250, MILLISECONDS_MAX = 60000 };

static struct lock right_lock = LOCK_INITIALIZER;
static struct lock left_lock LOCK_BEFORE(right_lock) = LOCK_INITIALIZER;
static long left LOCKED_BY(left_lock);
static long right LOCKED_BY(right_lock);

static _Atomic uint64_t made; /* transfers */
static atomic_bool time_is_over;

static void to_the_right(void)
{
    lock_take(&left_lock);
    lock_take(&right_lock);
    left--;
    right++;
    lock_release(&right_lock);
    lock_release(&left_lock);
}

/* The function whose order of locks the analysis refuses. */
#ifndef FAULT
LOCK_TRUSTED
#endif
static void to_the_left_in_the_other_order(void)
{
    lock_take(&right_lock);
    lock_take(&left_lock);
    right--;
    left++;
    lock_release(&left_lock);
    lock_release(&right_lock);
}

static void to_the_left(void)
{
    lock_take(&left_lock);
    lock_take(&right_lock);
    right--;
    left++;
    lock_release(&right_lock);
    lock_release(&left_lock);
}

static bool try_to_the_right(void)
{
    lock_take(&left_lock);
    bool taken = lock_take_within(&right_lock, GIVE_UP_US);
    if (taken) {
        left--;
        right++;
        lock_release(&right_lock);
    }
    lock_release(&left_lock);
    return taken;
}

/* A timeout cures a wrong order, and the analysis cannot know that. */
LOCK_TRUSTED static bool try_to_the_left(void)
{
    lock_take(&right_lock);
    bool taken = lock_take_within(&left_lock, GIVE_UP_US);
    if (taken) {
        right--;
        left++;
        lock_release(&left_lock);
    }
    lock_release(&right_lock);
    return taken;
}

static void to_the_right_with_timeout(void)
{
    while (!try_to_the_right()) {
    }
}

static void to_the_left_with_timeout(void)
{
    while (!try_to_the_left()) {
    }
}

static const struct way {
    const char *name;
    void (*there)(void);
    void (*back)(void);
} ways[] = {
    {"two-orders", to_the_right, to_the_left_in_the_other_order},
    {"one-order", to_the_right, to_the_left},
    {"timeout", to_the_right_with_timeout, to_the_left_with_timeout},
};

static void *run(void *transfer)
{
    void (*const *move)(void) = transfer;
    while (!atomic_load(&time_is_over)) {
        (*move)();
        atomic_fetch_add_explicit(&made, 1, memory_order_relaxed);
    }
    return NULL;
}

/* Lets both threads run for `milliseconds`. False if they made no transfer for STOPPED_MS. */
static bool watch(unsigned milliseconds)
{
    uint64_t before = 0;
    unsigned quiet = 0;
    for (unsigned passed = 0; passed < milliseconds || quiet > 0; passed += LOOK_MS) {
        usleep(LOOK_MS * 1000);
        uint64_t now = atomic_load(&made);
        quiet = now == before ? quiet + LOOK_MS : 0;
        before = now;
        if (quiet >= STOPPED_MS) {
            return false;
        }
    }
    return true;
}

static const struct way *way_find(const char *name)
{
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        if (strcmp(ways[i].name, name) == 0) {
            return &ways[i];
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    const struct way *way = argc == 3 ? way_find(argv[1]) : NULL;
    unsigned long milliseconds = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    if (way == NULL || milliseconds < 1 || milliseconds > MILLISECONDS_MAX) {
        fputs("usage: deadlock two-orders|one-order|timeout MILLISECONDS\n", stderr);
        return 2;
    }
    pthread_t there, back;
    if (pthread_create(&there, NULL, run, (void *)&way->there) != 0 ||
        pthread_create(&back, NULL, run, (void *)&way->back) != 0) {
        fputs("deadlock: cannot create its threads\n", stderr);
        return 1;
    }
    bool ended = watch((unsigned)milliseconds);
    printf("{\"stopped\": %s, \"transfers\": %llu}\n", ended ? "false" : "true",
           (unsigned long long)atomic_load(&made));
    fflush(stdout);
    if (!ended) {
        _exit(0); /* each thread waits for the other: they cannot be joined */
    }
    atomic_store(&time_is_over, true);
    pthread_join(there, NULL);
    pthread_join(back, NULL);
    return 0;
}
