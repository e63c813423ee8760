/* SPDX-License-Identifier: MIT */
/* Threads that hand numbers through a small bounded queue: none is lost, none comes twice. Exits 0 if that holds. */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#include "common/base/sync.h"

enum {
    PAIRS = 3,
    EACH = 20000, /* numbers from each writer */
    ROOM = 4,     /* so small that both sides wait all the time */
};

MUTEX_CLASS(queue_lock);

static struct {
    struct mutex mutex; /* queue_lock */
    struct condition room;
    struct condition work;
    unsigned long items[ROOM] MUTEX_GUARDED_BY(queue_lock);
    unsigned long head MUTEX_GUARDED_BY(queue_lock);
    unsigned long tail MUTEX_GUARDED_BY(queue_lock);
    unsigned long taken MUTEX_GUARDED_BY(queue_lock);
    unsigned long sum MUTEX_GUARDED_BY(queue_lock);
} queue;

static void *writer(void *argument)
{
    unsigned long base = (unsigned long)(size_t)argument * EACH;
    for (unsigned long i = 1; i <= EACH; i++) {
        mutex_lock(&queue.mutex, queue_lock);
        while (queue.head - queue.tail == ROOM) {
            condition_wait(&queue.room, &queue.mutex, queue_lock);
        }
        queue.items[queue.head++ % ROOM] = base + i;
        condition_wake_one(&queue.work);
        mutex_unlock(&queue.mutex, queue_lock);
    }
    return NULL;
}

/* One number taken; false when there are no more to come. */
static bool take(void)
{
    MUTEX_HOLD(&queue.mutex, queue_lock);
    while (queue.head == queue.tail) {
        if (queue.taken == (unsigned long)PAIRS * EACH) {
            return false;
        }
        condition_wait(&queue.work, &queue.mutex, queue_lock);
    }
    queue.sum += queue.items[queue.tail++ % ROOM];
    condition_wake_one(&queue.room);
    if (++queue.taken == (unsigned long)PAIRS * EACH) {
        condition_wake_all(&queue.work);
    }
    return true;
}

static void *reader(void *argument)
{
    (void)argument;
    while (take()) {
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[2 * PAIRS];
    mutex_init(&queue.mutex);
    condition_init(&queue.room);
    condition_init(&queue.work);
    for (size_t i = 0; i < PAIRS; i++) {
        if (pthread_create(&threads[2 * i], NULL, writer, (void *)i) != 0 ||
            pthread_create(&threads[2 * i + 1], NULL, reader, NULL) != 0) {
            return 1;
        }
    }
    for (int i = 0; i < 2 * PAIRS; i++) {
        pthread_join(threads[i], NULL);
    }
    mutex_lock(&queue.mutex, queue_lock);
    unsigned long n = (unsigned long)PAIRS * EACH;
    bool good = queue.taken == n && queue.sum == n * (n + 1) / 2;
    fprintf(stderr, "%lu of %lu, sum %lu\n", queue.taken, n, queue.sum);
    mutex_unlock(&queue.mutex, queue_lock);
    condition_deinit(&queue.work);
    condition_deinit(&queue.room);
    mutex_deinit(&queue.mutex);
    return good ? 0 : 1;
}
