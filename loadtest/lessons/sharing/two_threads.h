/* SPDX-License-Identifier: MIT */
/* Runs one function in two threads at once, a thousand times in each. A program of which a thread never gets its lock is
 * ended after two seconds. */
#ifndef ECHOD_LESSONS_TWO_THREADS_H
#define ECHOD_LESSONS_TWO_THREADS_H

#include <pthread.h>
#include <stddef.h>
#include <unistd.h>

enum { TWO_THREADS_TIMES = 1000, TWO_THREADS_SECONDS = 2 };

static inline void *two_threads_repeat(void *function)
{
    void (*const *step)(void) = function;
    for (int i = 0; i < TWO_THREADS_TIMES; i++) {
        (*step)();
    }
    return NULL;
}

static inline int two_threads_run(void (*step)(void))
{
    pthread_t first, second;
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
