/* SPDX-License-Identifier: MIT */
/* --mode thread: a pthread for each connection, blocking I/O. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <unistd.h>

#include "common/base/sync.h"
#include "common/base/trace.h"
#include "server/drivers/blocking/blocking.h"
#include "server/modes/mode.h"
#include "server/drivers/shared/counters_pool.h"
#include "server/drivers/blocking/interrupt.h"

/* Memory of threads kept for connections to come, so that churn costs no malloc. */
enum { SPARE_CLIENTS_MAX = 64 };

MUTEX_CLASS(threads_lock);

/* A connection and its thread. */
struct client_thread {
    LIST_ENTRY(client_thread) others; /* threads_lock: among those taken, or those spare */
    struct threads *threads;
    struct counters *counters;
    pthread_t thread; /* set by itself, before its counters show anything */
    struct accepted accepted;
    struct blocking blocking;
};

LIST_HEAD(client_list, client_thread);

struct threads {
    struct server *server;
    pthread_attr_t attributes;
    _Atomic bool closing;
    struct mutex mutex;       /* threads_lock */
    struct condition emptied; /* no connection has a thread any more */
    struct client_list taken MUTEX_GUARDED_BY(threads_lock);
    struct client_list spare MUTEX_GUARDED_BY(threads_lock);
    size_t spare_count MUTEX_GUARDED_BY(threads_lock);
    struct counters_pool pool MUTEX_GUARDED_BY(threads_lock);
};

/* Not calloc: the pages of one that are never used are never touched. */
static struct client_thread *threads_find_client(struct threads *threads) MUTEX_REQUIRES(threads_lock)
{
    struct client_thread *client = LIST_FIRST(&threads->spare);
    if (client == NULL) {
        return malloc(sizeof(*client));
    }
    LIST_REMOVE(client, others);
    threads->spare_count--;
    return client;
}

static void threads_spare(struct threads *threads, struct client_thread *client) MUTEX_REQUIRES(threads_lock)
{
    if (threads->spare_count == SPARE_CLIENTS_MAX) {
        free(client);
        return;
    }
    LIST_INSERT_HEAD(&threads->spare, client, others);
    threads->spare_count++;
}

static struct client_thread *threads_add(struct threads *threads, const struct accepted *accepted)
    MUTEX_EXCLUDES(threads_lock)
{
    MUTEX_HOLD(&threads->mutex, threads_lock);
    struct client_thread *client = threads_find_client(threads);
    if (client == NULL) {
        return NULL;
    }
    client->counters = counters_pool_take(&threads->pool);
    if (client->counters == NULL) {
        threads_spare(threads, client);
        return NULL;
    }
    client->threads = threads;
    client->accepted = *accepted;
    blocking_init(&client->blocking, threads->server, &threads->closing);
    LIST_INSERT_HEAD(&threads->taken, client, others);
    return client;
}

static void threads_remove(struct threads *threads, struct client_thread *client) MUTEX_REQUIRES(threads_lock)
{
    LIST_REMOVE(client, others);
    counters_pool_give(&threads->pool, client->counters);
    threads_spare(threads, client);
}

/* The connection is taken off the count under the lock: once the last is removed, no thread touches anything but the
 * lock itself and its own descriptor. */
static void *thread_main(void *arg)
{
    struct client_thread *client = arg;
    struct threads *threads = client->threads;
    int fd = client->accepted.fd;
    trace_thread_begin(TRACE_CONNECTION, client->accepted.number);
    client->thread = pthread_self();
    blocking_serve(&client->blocking, &client->accepted, client->counters, REFUSAL_NOT);
    TRACE(close, client->accepted.number, UINT64_C(0));
    trace_thread_end();
    mutex_lock(&threads->mutex, threads_lock);
    struct counters *counters = client->counters;
    threads_remove(threads, client);
    blocking_leave(&threads->server->connections, counters);
    if (LIST_EMPTY(&threads->taken)) {
        condition_wake_all(&threads->emptied);
    }
    mutex_unlock(&threads->mutex, threads_lock);
    close(fd);
    return NULL;
}

static int thread_serve(struct server *server, const struct accepted *accepted)
{
    struct threads *threads = server->mode_state;
    struct client_thread *client = threads_add(threads, accepted);
    if (client == NULL) {
        return -ENOMEM;
    }
    pthread_t thread;
    int error = pthread_create(&thread, &threads->attributes, thread_main, client);
    if (error != 0) {
        mutex_lock(&threads->mutex, threads_lock);
        threads_remove(threads, client);
        mutex_unlock(&threads->mutex, threads_lock);
    }
    return -error;
}

static void *thread_nothing(void *arg)
{
    return arg;
}

static int thread_probe(struct server *server)
{
    struct threads *threads = server->mode_state;
    pthread_t thread;
    mutex_lock(&threads->mutex, threads_lock);
    struct client_thread *client = threads_find_client(threads);
    if (client != NULL) {
        threads_spare(threads, client);
    }
    mutex_unlock(&threads->mutex, threads_lock);
    return client == NULL ? -ENOMEM : -pthread_create(&thread, &threads->attributes, thread_nothing, NULL);
}

/* If the counters of a client show any activity, its thread has set `thread`; and that thread lives as long as the
 * client is in `taken`. */
static void thread_drain(struct server *server)
{
    struct threads *threads = server->mode_state;
    atomic_store(&threads->closing, true);
    mutex_lock(&threads->mutex, threads_lock);
    struct client_thread *client;
    LIST_FOREACH(client, &threads->taken, others)
    {
        if (blocking_must_interrupt(server, client->counters)) {
            pthread_kill(client->thread, INTERRUPT_SIGNAL);
        }
    }
    mutex_unlock(&threads->mutex, threads_lock);
}

static void thread_report(struct server *server, struct report *report)
{
    report_counters(report, SERVER_MODE_COUNTERS, server->max_connections);
}

static void threads_free(struct threads *threads)
{
    mutex_lock(&threads->mutex, threads_lock);
    struct client_thread *client;
    while ((client = LIST_FIRST(&threads->spare)) != NULL) {
        LIST_REMOVE(client, others);
        free(client);
    }
    counters_pool_deinit(&threads->pool);
    mutex_unlock(&threads->mutex, threads_lock);
    condition_deinit(&threads->emptied);
    mutex_deinit(&threads->mutex);
    pthread_attr_destroy(&threads->attributes);
    free(threads);
}

static struct threads *threads_new(struct server *server)
{
    struct threads *threads = calloc(1, sizeof(*threads));
    if (threads == NULL) {
        return NULL;
    }
    threads->server = server;
    pthread_attr_init(&threads->attributes);
    mutex_init(&threads->mutex);
    condition_init(&threads->emptied);
    mutex_lock(&threads->mutex, threads_lock);
    int error = counters_pool_init(&threads->pool, server->service.scoreboard, SERVER_MODE_COUNTERS);
    mutex_unlock(&threads->mutex, threads_lock);
    if (error == 0) {
        error = pthread_attr_setdetachstate(&threads->attributes, PTHREAD_CREATE_DETACHED);
    }
    if (error == 0) {
        error = pthread_attr_setstacksize(&threads->attributes, mode_stack_size(server));
    }
    if (error != 0) {
        threads_free(threads);
        return NULL;
    }
    return threads;
}

static int thread_start(struct server *server)
{
    interrupt_init();
    server->mode_state = threads_new(server);
    return server->mode_state == NULL ? -ENOMEM : 0;
}

static void thread_stop(struct server *server)
{
    struct threads *threads = server->mode_state;
    mutex_lock(&threads->mutex, threads_lock);
    while (!LIST_EMPTY(&threads->taken)) {
        condition_wait(&threads->emptied, &threads->mutex, threads_lock);
    }
    mutex_unlock(&threads->mutex, threads_lock);
    threads_free(threads);
}

const struct mode mode_thread = {
    .name = "thread",
    .summary = "one thread per connection, blocking I/O",
    .cost = LIMITS_THREAD,
    .stack_size = 128 * 1024,
    .start = thread_start,
    .serve = thread_serve,
    .probe = thread_probe,
    .drain = thread_drain,
    .report = thread_report,
    .stop = thread_stop,
};
