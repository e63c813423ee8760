/* SPDX-License-Identifier: MIT */
/* The part of a loop that each of its connections uses. */
#ifndef ECHOD_SERVER_DRIVERS_URING_URING_CORE_H
#define ECHOD_SERVER_DRIVERS_URING_URING_CORE_H

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
    uint64_t number; /* for the trace */
    struct ring ring;
    struct server *server;
    struct lingerers *lingerers;
    struct context context;
    struct access_log_context log;
    char *scratch;
    char *log_text; /* NULL: the log is off */
    struct uring_connections lists[URING_LISTS];
    struct uring_queue queue;        /* who is to be looked at next */
    struct uring_queue works;        /* whose work is to be run when the others have had their turn */
    struct uring_connection *sender; /* whose pass it is */
    size_t count;                    /* of connections in the lists */
    size_t ending;                   /* how many others wait for what is pending */
    unsigned retried;                /* receives that found no buffer and are asked for again in this turn */
    uint64_t swept_ms;
    uint64_t sweep_at_ms; /* 0: no sweep is needed */
    unsigned sweep_interval_ms;
    uint64_t fails_since_ms; /* 0: the last system call of the ring has not failed */
    bool watches;            /* the ring tells of the wakeup */
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

/* The loop's thread. */

/* Sees to it that sweeps take place. */
void uring_core_sweep_from_now(struct uring_loop *loop);

#endif
