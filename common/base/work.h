/* SPDX-License-Identifier: MIT */
/* A piece of work that computes or blocks: what a handler asks for, and any thread may run. */
#ifndef ECHOD_COMMON_BASE_WORK_H
#define ECHOD_COMMON_BASE_WORK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct completions;

/* Belongs to the session that wants it. While it waits or runs, nothing else touches it or the session. */
struct work {
    void (*run)(struct work *work); /* reads `input`, sets `output`; NULL: no work is wanted */
    uint64_t input;
    uint64_t output;
    /* Once this is true the output is no longer needed, and run returns soon. NULL: it is always needed. */
    const _Atomic bool *cutting;
    /* Only for a driver that runs the work in another thread; workers_submit sets them. */
    STAILQ_ENTRY(work) next;         /* in the queue of the workers, then in the list of completions */
    struct completions *completions; /* receives the work when it has run */
    void *owner;                     /* the connection that waits for it */
};
STAILQ_HEAD(work_list, work);

static inline bool work_is_cut_off(const struct work *work)
{
    return work->cutting != NULL && atomic_load_explicit(work->cutting, memory_order_relaxed);
}

#endif
