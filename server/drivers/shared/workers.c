/* SPDX-License-Identifier: MIT */
/* One queue for all loops; a worker takes the work that has waited longest. */
#include "server/drivers/shared/workers.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "server/drivers/shared/counters_pool.h"

MUTEX_CLASS(workers_lock);

struct worker {
    struct workers *all;
    struct counters *counters;
    pthread_t thread;
    bool worked; /* since it was last counted as idle */
};

struct workers {
    struct scoreboard *scoreboard;
    struct mutex mutex; /* workers_lock */
    struct condition work_came;
    struct work_list list MUTEX_GUARDED_BY(workers_lock);
    unsigned waiting MUTEX_GUARDED_BY(workers_lock);
    unsigned idle MUTEX_GUARDED_BY(workers_lock); /* workers that wait for work, or are about to */
    bool stopping MUTEX_GUARDED_BY(workers_lock);
    unsigned queue;
    unsigned count; /* threads that were started */
    struct worker items[];
};

int completions_init(struct completions *completions)
{
    int error = wakeup_init(&completions->wakeup);
    if (error != 0) {
        return error;
    }
    mutex_init(&completions->mutex);
    mutex_lock(&completions->mutex, completions_lock);
    STAILQ_INIT(&completions->list);
    mutex_unlock(&completions->mutex, completions_lock);
    return 0;
}

void completions_deinit(struct completions *completions)
{
    wakeup_deinit(&completions->wakeup);
    mutex_deinit(&completions->mutex);
}

void completions_take(struct completions *completions, struct work_list *list)
{
    wakeup_clear(&completions->wakeup);
    STAILQ_INIT(list);
    mutex_lock(&completions->mutex, completions_lock);
    STAILQ_CONCAT(list, &completions->list);
    mutex_unlock(&completions->mutex, completions_lock);
}

/* The wakeup is written under the lock: otherwise the loop could take this work, which may be its last, end, and
 * close the descriptor before the write. */
static void completions_add(struct completions *completions, struct work *work)
{
    mutex_lock(&completions->mutex, completions_lock);
    bool first = STAILQ_EMPTY(&completions->list);
    STAILQ_INSERT_TAIL(&completions->list, work, next);
    if (first) {
        wakeup_notify(&completions->wakeup);
    }
    mutex_unlock(&completions->mutex, completions_lock);
}

/* Waits for work and takes it from the queue. Returns NULL when the workers stop and no work is left. */
static struct work *workers_take(struct worker *worker)
{
    struct workers *workers = worker->all;
    mutex_lock(&workers->mutex, workers_lock);
    workers->idle += worker->worked; /* a new one was counted before it was started */
    while (STAILQ_EMPTY(&workers->list) && !workers->stopping) {
        condition_wait(&workers->work_came, &workers->mutex, workers_lock);
    }
    workers->idle--;
    worker->worked = true;
    struct work *work = STAILQ_FIRST(&workers->list);
    if (work != NULL) {
        STAILQ_REMOVE_HEAD(&workers->list, next);
        workers->waiting--;
        atomic_fetch_sub_explicit(&workers->scoreboard->queued, 1, memory_order_relaxed);
    }
    mutex_unlock(&workers->mutex, workers_lock);
    return work;
}

static void *worker_run(void *arg)
{
    struct worker *worker = arg;
    struct work *work;
    trace_thread_begin(TRACE_WORKER, (uint64_t)(worker - worker->all->items));
    while ((work = workers_take(worker)) != NULL) {
        uint64_t begin = clock_us();
        counters_show(worker->counters, ACTIVITY_WORKING);
        work_run(work);
        counters_show(worker->counters, ACTIVITY_NONE);
        counters_add(&worker->counters->busy_us, clock_us() - begin);
        completions_add(work->completions, work);
    }
    trace_thread_end();
    return NULL;
}

static int workers_start_threads(struct workers *workers, size_t first, unsigned count)
{
    sigset_t all;
    sigset_t before;
    int error = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (error == 0 && workers->count < count) {
        struct worker *worker = &workers->items[workers->count];
        *worker = (struct worker){.all = workers,
                                  .counters = counters_claim(workers->scoreboard, first + workers->count)};
        error = pthread_create(&worker->thread, NULL, worker_run, worker);
        workers->count += error == 0;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

struct workers *workers_start(struct scoreboard *scoreboard, size_t first, unsigned count, unsigned queue)
{
    struct workers *workers = calloc(1, sizeof *workers + count * sizeof workers->items[0]);
    if (workers == NULL) {
        return NULL;
    }
    workers->scoreboard = scoreboard;
    workers->queue = queue;
    mutex_init(&workers->mutex);
    condition_init(&workers->work_came);
    mutex_lock(&workers->mutex, workers_lock);
    STAILQ_INIT(&workers->list);
    workers->idle = count;
    mutex_unlock(&workers->mutex, workers_lock);
    int error = workers_start_threads(workers, first, count);
    if (error != 0) {
        workers_stop(workers);
        errno = error;
        return NULL;
    }
    return workers;
}

int workers_submit(struct workers *workers, struct work *work, struct completions *completions, void *owner)
{
    int error = -EAGAIN;
    work->completions = completions;
    work->owner = owner;
    TRACE(work_queue, work->connection, UINT64_C(0));
    mutex_lock(&workers->mutex, workers_lock);
    if (workers->waiting < workers->idle + workers->queue) {
        STAILQ_INSERT_TAIL(&workers->list, work, next);
        workers->waiting++;
        atomic_fetch_add_explicit(&workers->scoreboard->queued, 1, memory_order_relaxed);
        condition_wake_one(&workers->work_came);
        error = 0;
    }
    mutex_unlock(&workers->mutex, workers_lock);
    return error;
}

void workers_stop(struct workers *workers)
{
    if (workers == NULL) {
        return;
    }
    mutex_lock(&workers->mutex, workers_lock);
    workers->stopping = true;
    condition_wake_all(&workers->work_came);
    mutex_unlock(&workers->mutex, workers_lock);
    for (unsigned i = 0; i < workers->count; i++) {
        pthread_join(workers->items[i].thread, NULL);
    }
    condition_deinit(&workers->work_came);
    mutex_deinit(&workers->mutex);
    free(workers);
}
