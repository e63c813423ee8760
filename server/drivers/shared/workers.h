/* SPDX-License-Identifier: MIT */
/* Threads that run what would hold up a loop: a bounded queue of jobs, and the way back to the loop each came from. */
#ifndef ECHOD_SERVER_DRIVERS_SHARED_WORKERS_H
#define ECHOD_SERVER_DRIVERS_SHARED_WORKERS_H

#include <stdbool.h>
#include <sys/queue.h>

#include "common/session/service.h"
#include "common/base/sync.h"
#include "common/base/work.h"

struct job_returns;

MUTEX_CLASS(job_returns_lock);

/* One work on its way there and back. Its owner makes it, and frees it when it has come back. */
struct job {
    STAILQ_ENTRY(job) next;
    struct work *work; /* the owner's; nobody else touches it until the job is back */
    struct job_returns *returns;
    void *owner;
};
STAILQ_HEAD(job_list, job);

/* Where the jobs of one loop come back to. */
struct job_returns {
    int wakeup;         /* an eventfd: readable while there are some */
    struct mutex mutex; /* job_returns_lock */
    struct job_list list MUTEX_GUARDED_BY(job_returns_lock);
};

/* 0 or a negative errno. */
int job_returns_init(struct job_returns *returns);
void job_returns_deinit(struct job_returns *returns);
/* The loop's thread: clears the wakeup and moves all jobs that are back to `*list`. */
void job_returns_take(struct job_returns *returns, struct job_list *list) MUTEX_EXCLUDES(job_returns_lock);

struct workers;

/* Starts `count` threads; at most `queue` jobs wait, beside those that an idle worker is about to take. Worker i counts
 * in counters `first` + i of `scoreboard`. NULL with errno set if there is no memory or no thread: then nothing runs. Main
 * thread. */
struct workers *workers_start(struct scoreboard *scoreboard, size_t first, unsigned count, unsigned queue);
/* Any thread. 0, or -EAGAIN if the queue is full: then the job stays with the caller. */
int workers_submit(struct workers *workers, struct job *job);
/* Lets what waits be done, ends and joins the threads, frees. Nobody submits any more; NULL is fine. */
void workers_stop(struct workers *workers);

#endif
