/* SPDX-License-Identifier: MIT */
/* Threads that all count in one place: how many updates get lost, and what each cure costs.
 *
 *     races plain|atomic|mutex|own THREADS MILLISECONDS
 *
 * All threads count at once for that time. `plain` reads the counter and stores one more, as `counter++` does; both steps are
 * relaxed atomics, because a plain race is undefined in C and a compiler may fold the loop. `own` gives each thread a
 * counter in a cache line of its own, and adds them up at the end. Prints one line of JSON. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { THREADS_MAX = 64, CACHE_LINE = 64, BATCH = 1000, MILLISECONDS_MAX = 60000 };

static _Atomic uint64_t counter;
static uint64_t guarded;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t all_ready;
static atomic_bool time_is_over;

/* What a thread has to do, and how many updates it has made when it ends. */
struct counter_thread {
    _Alignas(CACHE_LINE) pthread_t thread;
    const struct cure *cure;
    _Atomic uint64_t own;
    uint64_t updates;
};

static void count_in(_Atomic uint64_t *value)
{
    for (int i = 0; i < BATCH; i++) {
        uint64_t seen = atomic_load_explicit(value, memory_order_relaxed);
        atomic_store_explicit(value, seen + 1, memory_order_relaxed);
    }
}

static void count_plain(struct counter_thread *self)
{
    (void)self;
    count_in(&counter);
}

static void count_own(struct counter_thread *self)
{
    count_in(&self->own);
}

static void count_atomic(struct counter_thread *self)
{
    (void)self;
    for (int i = 0; i < BATCH; i++) {
        atomic_fetch_add_explicit(&counter, 1, memory_order_relaxed);
    }
}

static void count_mutex(struct counter_thread *self)
{
    (void)self;
    for (int i = 0; i < BATCH; i++) {
        pthread_mutex_lock(&mutex);
        guarded++;
        pthread_mutex_unlock(&mutex);
    }
}

static const struct cure {
    const char *name;
    void (*count)(struct counter_thread *self); /* BATCH times */
} cures[] = {{"plain", count_plain}, {"atomic", count_atomic}, {"mutex", count_mutex}, {"own", count_own}};

static const struct cure *cure_find(const char *name)
{
    for (size_t i = 0; i < sizeof(cures) / sizeof(cures[0]); i++) {
        if (strcmp(cures[i].name, name) == 0) {
            return &cures[i];
        }
    }
    return NULL;
}

static void *counter_thread_run(void *argument)
{
    struct counter_thread *self = argument;
    pthread_barrier_wait(&all_ready);
    while (!atomic_load_explicit(&time_is_over, memory_order_relaxed)) {
        self->cure->count(self);
        self->updates += BATCH;
    }
    return NULL;
}

static double now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* The nanoseconds from when all threads are ready to the end of the last one. */
static double run(struct counter_thread *threads, unsigned count, unsigned milliseconds)
{
    pthread_barrier_init(&all_ready, NULL, count + 1);
    for (unsigned i = 0; i < count; i++) {
        if (pthread_create(&threads[i].thread, NULL, counter_thread_run, &threads[i]) != 0) {
            fprintf(stderr, "races: cannot create thread %u\n", i + 1);
            exit(1);
        }
    }
    pthread_barrier_wait(&all_ready);
    double began = now_ns();
    usleep(milliseconds * 1000);
    atomic_store(&time_is_over, true);
    for (unsigned i = 0; i < count; i++) {
        pthread_join(threads[i].thread, NULL);
    }
    return now_ns() - began;
}

/* `value` as a number from 1 to `max`; 0 if it is none. */
static unsigned number(const char *value, unsigned max)
{
    char *end = NULL;
    unsigned long found = strtoul(value, &end, 10);
    return *end == '\0' && found <= max ? (unsigned)found : 0;
}

int main(int argc, char **argv)
{
    static struct counter_thread threads[THREADS_MAX];
    const struct cure *cure = argc == 4 ? cure_find(argv[1]) : NULL;
    unsigned count = argc == 4 ? number(argv[2], THREADS_MAX) : 0;
    unsigned milliseconds = argc == 4 ? number(argv[3], MILLISECONDS_MAX) : 0;
    if (cure == NULL || count == 0 || milliseconds == 0) {
        fprintf(stderr, "usage: races plain|atomic|mutex|own THREADS MILLISECONDS; at most %d threads\n",
                THREADS_MAX);
        return 2;
    }
    for (unsigned i = 0; i < count; i++) {
        threads[i].cure = cure;
    }
    double took = run(threads, count, milliseconds);
    uint64_t updates = 0, counted = atomic_load(&counter) + guarded;
    for (unsigned i = 0; i < count; i++) {
        updates += threads[i].updates;
        counted += atomic_load(&threads[i].own);
    }
    printf("{\"updates\": %llu, \"lost\": %llu, \"ns_per_update\": %.4f}\n", (unsigned long long)updates,
           (unsigned long long)(updates - counted), took / (double)updates);
    return 0;
}
