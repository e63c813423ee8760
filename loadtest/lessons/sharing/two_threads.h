/* SPDX-License-Identifier: MIT */
/* Runs one function in two threads at once, many times in each. A program of which a thread never gets its lock is ended
 * after a few seconds. */
#ifndef ECHOD_LESSONS_TWO_THREADS_H
#define ECHOD_LESSONS_TWO_THREADS_H

#include <pthread.h>
#include <stddef.h>
#include <unistd.h>

enum { TWO_THREADS_TIMES = 20000, TWO_THREADS_SECONDS = 5 };

static pthread_barrier_t two_threads_ready;

static inline void *two_threads_repeat(void *function)
{
    void (*const *step)(void) = function;
    pthread_barrier_wait(&two_threads_ready);
    for (int i = 0; i < TWO_THREADS_TIMES; i++) {
        (*step)();
    }
    return NULL;
}

static inline int two_threads_run(void (*step)(void))
{
    pthread_t first, second;
    pthread_barrier_init(&two_threads_ready, NULL, 2);
    alarm(TWO_THREADS_SECONDS);
    if (pthread_create(&first, NULL, two_threads_repeat, &step) != 0 ||
        pthread_create(&second, NULL, two_threads_repeat, &step) != 0) {
        return 1;
    }
    pthread_join(first, NULL);
    pthread_join(second, NULL);
    return 0;
}

#endif
