/* SPDX-License-Identifier: MIT */
/* --mode pool: a fixed number of threads, each serving one connection at a time; the others wait in a bounded queue. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/sync.h"
#include "server/drivers/blocking/blocking.h"
#include "server/modes/mode.h"
#include "server/drivers/event/lingerers.h"
#include "server/drivers/shared/counters_pool.h"
#include "server/drivers/blocking/interrupt.h"

enum { POOL_WORKERS = 64 };

/* A worker whose client is silent looks so often whether others wait in vain. */
enum { POOL_POLL_INTERVAL_MS = 500 };

MUTEX_CLASS(pool_lock);

struct waiting {
    struct accepted accepted;
    uint64_t since_ms;
};

struct pool_worker {
    struct pool *pool;
    struct counters *counters;
    pthread_t thread;
    bool served; /* a connection since it was last counted as free */
    struct blocking blocking;
};

struct pool {
    struct server *server;
    struct lingerers lingerers; /* a lingering close takes no worker */
    struct mutex mutex;         /* pool_lock */
    struct condition came;
    struct waiting *queue MUTEX_GUARDED_BY(pool_lock); /* a ring */
    unsigned first MUTEX_GUARDED_BY(pool_lock);
    unsigned count MUTEX_GUARDED_BY(pool_lock);
    unsigned free MUTEX_GUARDED_BY(pool_lock); /* workers that wait for a connection, or are about to */
    bool stopping MUTEX_GUARDED_BY(pool_lock);
    _Atomic bool closing; /* connections end once they are idle */
    unsigned capacity;    /* of the ring: --queue, and one for each worker */
    unsigned worker_count;
    struct pool_worker *workers;
};

/* The connections that free workers are about to take do not wait. */
static bool pool_has_room(const struct pool *pool) MUTEX_REQUIRES(pool_lock)
{
    return pool->count < pool->free + pool->server->options->queue;
}

/* After every change of the queue or of the free workers. */
static void pool_publish(struct pool *pool) MUTEX_REQUIRES(pool_lock)
{
    struct scoreboard *scoreboard = pool->server->service.scoreboard;
    int64_t unserved = pool->count > pool->free ? pool->count - pool->free : 0;
    atomic_store_explicit(&scoreboard->queued, pool->count, memory_order_relaxed);
    atomic_store_explicit(&scoreboard->unserved, unserved, memory_order_relaxed);
    atomic_store_explicit(&scoreboard->queue_full, !pool_has_room(pool), memory_order_relaxed);
}

static bool pool_take(struct pool *pool, struct pool_worker *worker, struct waiting *waiting)
{
    mutex_lock(&pool->mutex, pool_lock);
    pool->free += worker->served; /* a new one was counted when the pool was made */
    pool_publish(pool);
    while (pool->count == 0 && !pool->stopping) {
        condition_wait(&pool->came, &pool->mutex, pool_lock);
    }
    pool->free--;
    bool any = pool->count > 0;
    worker->served = true;
    if (any) {
        *waiting = pool->queue[pool->first];
        pool->first = (pool->first + 1) % pool->capacity;
        pool->count--;
    }
    pool_publish(pool);
    mutex_unlock(&pool->mutex, pool_lock);
    return any;
}

static void *worker_main(void *arg)
{
    struct pool_worker *worker = arg;
    struct pool *pool = worker->pool;
    uint64_t limit_ms = pool->server->timeouts.limit[TIMER_HEADER];
    struct waiting waiting;
    trace_thread_begin(TRACE_WORKER, (uint64_t)(worker - pool->workers));
    while (pool_take(pool, worker, &waiting)) {
        uint64_t begin = clock_us();
        bool late = begin / 1000 > waiting.since_ms + limit_ms; /* its client has given up, or will: 503 */
        worker->blocking.accepted_ms = waiting.since_ms;
        bool over = blocking_serve(&worker->blocking, &waiting.accepted, worker->counters,
                                   late ? REFUSAL_QUEUE : REFUSAL_NOT);
        counters_add(&worker->counters->busy_us, clock_us() - begin);
        if (!over && lingerers_put(&pool->lingerers, &waiting.accepted) != 0) {
            blocking_linger(&worker->blocking);
            over = true;
        }
        if (over) {
            TRACE(close, waiting.accepted.number, UINT64_C(0));
            blocking_leave(&pool->server->connections, worker->counters);
            close(waiting.accepted.fd);
        }
    }
    trace_thread_end();
    return NULL;
}

static int pool_serve(struct server *server, const struct accepted *accepted)
{
    struct pool *pool = server->mode_state;
    int error = -EBUSY;
    mutex_lock(&pool->mutex, pool_lock);
    if (pool_has_room(pool)) {
        unsigned last = (pool->first + pool->count) % pool->capacity;
        pool->queue[last] = (struct waiting){.accepted = *accepted, .since_ms = clock_ms()};
        pool->count++;
        pool_publish(pool);
        condition_wake_one(&pool->came);
        error = 0;
    }
    mutex_unlock(&pool->mutex, pool_lock);
    return error;
}

static void pool_drain(struct server *server)
{
    struct pool *pool = server->mode_state;
    atomic_store(&pool->closing, true);
    for (unsigned i = 0; i < pool->worker_count; i++) {
        struct pool_worker *worker = &pool->workers[i];
        if (blocking_must_interrupt(server, worker->counters)) {
            pthread_kill(worker->thread, INTERRUPT_SIGNAL);
        }
    }
    lingerers_drain(&pool->lingerers);
}

static unsigned pool_workers(const struct server *server)
{
    return server->options->workers > 0 ? server->options->workers : POOL_WORKERS;
}

static size_t pool_counters(const struct server *server)
{
    return pool_workers(server) + 1; /* the first for those that linger */
}

static void pool_report(struct server *server, struct report *report)
{
    struct pool *pool = server->mode_state;
    int64_t queued = atomic_load_explicit(&server->service.scoreboard->queued, memory_order_relaxed);
    report_add(report, ACTIVITY_QUEUED, queued > 0 ? (uint64_t)queued : 0);
    report_counters(report, SERVER_MODE_COUNTERS + 1, pool->worker_count);
    report_workers(report, "worker", SERVER_MODE_COUNTERS + 1, pool->worker_count);
    lingerers_report(&pool->lingerers, report);
}

/* All connections are gone, or never came. */
static void pool_free(struct pool *pool)
{
    mutex_lock(&pool->mutex, pool_lock);
    pool->stopping = true;
    condition_wake_all(&pool->came);
    mutex_unlock(&pool->mutex, pool_lock);
    for (unsigned i = 0; i < pool->worker_count; i++) {
        pthread_join(pool->workers[i].thread, NULL);
    }
    lingerers_deinit(&pool->lingerers);
    mutex_lock(&pool->mutex, pool_lock);
    free(pool->queue);
    mutex_unlock(&pool->mutex, pool_lock);
    condition_deinit(&pool->came);
    mutex_deinit(&pool->mutex);
    free(pool->workers);
    free(pool);
}

static struct pool *pool_new(struct server *server)
{
    struct pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL) {
        return NULL;
    }
    pool->server = server;
    pool->capacity = server->options->queue + pool_workers(server);
    pool->workers = calloc(pool_workers(server), sizeof *pool->workers);
    struct waiting *queue = calloc(pool->capacity, sizeof *queue);
    if (queue == NULL || pool->workers == NULL ||
        lingerers_init(&pool->lingerers, server, SERVER_MODE_COUNTERS) != 0) {
        free(queue);
        free(pool->workers);
        free(pool);
        return NULL;
    }
    mutex_init(&pool->mutex);
    condition_init(&pool->came);
    mutex_lock(&pool->mutex, pool_lock);
    pool->free = pool_workers(server);
    pool->queue = queue;
    mutex_unlock(&pool->mutex, pool_lock);
    return pool;
}

static int pool_start(struct server *server)
{
    interrupt_init();
    struct pool *pool = pool_new(server);
    int error = pool == NULL ? ENOMEM : 0;
    while (error == 0 && pool->worker_count < pool_workers(server)) {
        struct pool_worker *worker = &pool->workers[pool->worker_count];
        worker->pool = pool;
        worker->counters =
            counters_claim(server->service.scoreboard, SERVER_MODE_COUNTERS + 1 + pool->worker_count);
        blocking_init(&worker->blocking, server, &pool->closing);
        worker->blocking.poll_interval_ms = POOL_POLL_INTERVAL_MS;
        worker->blocking.yield_when_unserved = true;
        worker->blocking.linger_elsewhere = true;
        error = pthread_create(&worker->thread, NULL, worker_main, worker);
        pool->worker_count += error == 0;
    }
    if (error != 0 && pool != NULL) {
        pool_free(pool);
    }
    server->mode_state = error == 0 ? pool : NULL;
    return -error;
}

static void pool_stop(struct server *server)
{
    pool_free(server->mode_state);
}

const struct mode mode_pool = {
    .name = "pool",
    .summary = "a fixed number of threads, one connection per thread at a time",
    .cost = LIMITS_DESCRIPTOR,
    .workers = pool_workers,
    .descriptors = LINGERERS_DESCRIPTORS,
    .counters = pool_counters,
    .start = pool_start,
    .serve = pool_serve,
    .drain = pool_drain,
    .report = pool_report,
    .stop = pool_stop,
};
