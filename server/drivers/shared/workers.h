/* SPDX-License-Identifier: MIT */
/* Threads that run the work which would block a loop: a bounded queue of work, and its way back to the loop. */
#ifndef ECHOD_SERVER_DRIVERS_SHARED_WORKERS_H
#define ECHOD_SERVER_DRIVERS_SHARED_WORKERS_H

#include <stdbool.h>
#include <sys/queue.h>

#include "common/session/service.h"
#include "common/base/sync.h"
#include "common/base/work.h"
#include "server/drivers/shared/wakeup.h"

MUTEX_CLASS(completions_lock);

/* The finished work of one loop, in the order in which it finished. */
struct completions {
    struct wakeup wakeup; /* notified when the list is no longer empty */
    struct mutex mutex;   /* completions_lock */
    struct work_list list MUTEX_GUARDED_BY(completions_lock);
};

/* Returns 0 or a negative errno; after an error there is nothing to undo. Main thread. */
int completions_init(struct completions *completions);
/* No work may be outstanding. Main thread. */
void completions_deinit(struct completions *completions);
/* Clears the wakeup and moves all finished work to `*list`, which need not be initialised. The loop's thread. */
void completions_take(struct completions *completions, struct work_list *list)
    MUTEX_EXCLUDES(completions_lock);

struct workers;

/* Starts `count` threads. At most `queue` pieces of work wait, not counting those that an idle worker is about to take.
 * Worker i counts in counters `first` + i of `scoreboard`. Returns NULL with errno set if there is no memory or no
 * thread; then no thread runs. The caller ends them with workers_stop. Main thread. */
struct workers *workers_start(struct scoreboard *scoreboard, size_t first, unsigned count, unsigned queue);
/* Has a worker run `work` and append it to `completions`. The work is queued itself, without an allocation: its memory
 * must stay, and nothing else may touch it, until completions_take returns it. `owner` is kept in it for whoever takes
 * it. Returns 0, or -EAGAIN if the queue is full; then the work was not queued. Any thread. */
int workers_submit(struct workers *workers, struct work *work, struct completions *completions, void *owner);
/* Lets the workers finish the work that waits, ends and joins them, and frees. No work may be submitted any more.
 * NULL is allowed. Main thread. */
void workers_stop(struct workers *workers);

#endif
