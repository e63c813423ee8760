/* SPDX-License-Identifier: MIT */
/* A piece of work that computes or blocks. A handler asks for it, and any thread may run it. */
#ifndef ECHOD_COMMON_BASE_WORK_H
#define ECHOD_COMMON_BASE_WORK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/base/trace.h"

struct completions;

/* The session that wants the work owns it. While the work waits or runs, no other code may touch it or the session. */
struct work {
    void (*run)(struct work *work); /* reads `input`, sets `output`; NULL: no work is wanted */
    uint64_t input;
    uint64_t output;
    /* Set when the output is no longer needed: `run` then returns soon. NULL: the output is always needed. */
    const _Atomic bool *cutting;
    uint64_t connection; /* its number, for the trace */
    /* For a driver that runs the work in another thread; workers_submit sets them. */
    STAILQ_ENTRY(work) next;         /* in the queue of the workers, then in the list of completions */
    struct completions *completions; /* receives the work when it has run; NULL: no other thread runs it */
    void *owner;                     /* the connection that waits for it */
};
STAILQ_HEAD(work_list, work);

/* Whether `run` shall return because its output is no longer needed. The thread that runs the work. */
static inline bool work_is_cut_off(const struct work *work)
{
    return work->cutting != NULL && atomic_load_explicit(work->cutting, memory_order_relaxed);
}

/* Runs the work in the calling thread. */
static inline void work_run(struct work *work)
{
    uint64_t connection = work->connection, queued = work->completions != NULL;
    TRACE(work_begin, connection, queued);
    work->run(work);
    TRACE(work_end, connection, queued);
}

#endif
