/* SPDX-License-Identifier: MIT */
/* A thread with a ring, and its connections. */
#ifndef ECHOD_SERVER_DRIVERS_URING_URING_LOOP_H
#define ECHOD_SERVER_DRIVERS_URING_URING_LOOP_H

#include <pthread.h>
#include <sys/queue.h>

#include "common/base/sync.h"
#include "server/drivers/event/lingerers.h"
#include "server/drivers/shared/access_log.h"
#include "server/drivers/shared/inbox.h"
#include "server/drivers/shared/report.h"
#include "server/drivers/shared/server.h"
#include "server/drivers/uring/ring.h"

/* The lists of a loop. The first ones are for the session's timers, by enum timer. */
enum uring_list { URING_RESTARTED = TIMER_BODY + 1, URING_LISTS };

TAILQ_HEAD(uring_connections, uring_connection);
STAILQ_HEAD(uring_queue, uring_connection);

MUTEX_CLASS(uring_lock);

struct uring_loop {
    struct ring ring;
    struct server *server;
    struct lingerers *lingerers;
    struct context context;
    struct access_log_context log;
    char *scratch;
    char *log_text; /* NULL: the log is off */
    struct uring_connections lists[URING_LISTS];
    struct uring_queue queue;        /* who is to be looked at next */
    struct uring_connection *sender; /* whose pass it is */
    size_t count;                    /* of connections in the lists */
    uint64_t swept_ms;
    uint64_t sweep_at_ms; /* 0: no sweep is needed */
    unsigned sweep_interval_ms;
    bool watches; /* the ring tells of the wakeup */
    bool draining;
    bool stopped;
    pthread_t thread;
    struct inbox orders; /* only the orders, and the wakeup */
    struct report *_Atomic report;
    struct mutex mutex; /* uring_lock */
    struct condition has_entered;
    int entered MUTEX_GUARDED_BY(uring_lock); /* 0: not yet; 1: yes; or the error of ring_enter_thread */
    struct uring_queue arrived MUTEX_GUARDED_BY(uring_lock);
};

/* The descriptors of a loop. */
enum { URING_LOOP_DESCRIPTORS = RING_DESCRIPTORS + 1 };

/* Main thread. */

/* Starts the thread. `counters` are the loop's until the end; `lingerers` must outlive it. Returns 0 or a negative errno, as ring_init;
 * after an error there is nothing to undo. */
int uring_loop_start(struct uring_loop *loop, struct server *server, struct counters *counters,
                     struct lingerers *lingerers);
/* Ends it. All connections must be gone. */
void uring_loop_stop(struct uring_loop *loop);
/* Passes a connection on; returns 0, or -ENOMEM, after which the caller still owns it. */
int uring_loop_serve(struct uring_loop *loop, const struct accepted *accepted) MUTEX_EXCLUDES(uring_lock);
void uring_loop_drain(struct uring_loop *loop, bool cutting);
/* The loop adds its connections to the report, and ends its part. */
void uring_loop_report(struct uring_loop *loop, struct report *report);

/* The loop's thread. */

/* Sees to it that sweeps take place. */
void uring_loop_sweep_from_now(struct uring_loop *loop);

#endif
