/* SPDX-License-Identifier: MIT */
/* Stacks for fibers, each above a guard page, so that an overflow ends the process and never writes into other memory. */
#ifndef ECHOD_SERVER_DRIVERS_FIBER_STACKS_H
#define ECHOD_SERVER_DRIVERS_FIBER_STACKS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/sync.h"

MUTEX_CLASS(stacks_lock);

/* Mappings that a stack takes: itself and its guard page. */
enum { STACKS_MAPPINGS = 2 };

/* Memory from `low` on, `size` bytes. The guard page is below. A plain value. */
struct stack {
    char *low; /* NULL: none */
    size_t size;
};

/* The stacks of one loop. The acceptor's thread reserves them, and the loop's thread takes them. */
struct stacks {
    size_t size; /* of each, a multiple of the page size */
    unsigned spare_max;
    struct mutex mutex; /* stacks_lock */
    /* Stacks kept for new fibers, so that a new connection rarely costs an mmap. `reserved` of them are promised. */
    struct spare_stack *spare MUTEX_GUARDED_BY(stacks_lock);
    unsigned spare_count MUTEX_GUARDED_BY(stacks_lock);
    unsigned reserved MUTEX_GUARDED_BY(stacks_lock);
};

/* Sets the size of the stacks, rounded up to whole pages; `loops` is the number of loops, which share what may be kept.
 * Allocates nothing. */
void stacks_init(struct stacks *stacks, size_t size, unsigned loops);
/* Unmaps the spare stacks. All others must have been given back. */
void stacks_deinit(struct stacks *stacks) MUTEX_EXCLUDES(stacks_lock);

/* Reserves a stack for a later stacks_take. Returns 0, or a negative errno if there is no memory or mapping for a stack. Any
 * thread. */
int stacks_reserve(struct stacks *stacks) MUTEX_EXCLUDES(stacks_lock);
/* The stack that was reserved is not needed. Any thread. */
void stacks_cancel(struct stacks *stacks) MUTEX_EXCLUDES(stacks_lock);
/* Returns the stack that was reserved, which the caller owns. Its memory is zero or what an earlier owner has left. Any
 * thread. */
struct stack stacks_take(struct stacks *stacks) MUTEX_EXCLUDES(stacks_lock);
/* Takes a stack back. Any thread. */
void stacks_give(struct stacks *stacks, struct stack stack) MUTEX_EXCLUDES(stacks_lock);

/* Gives the pages of the stack that lie wholly below `used` back to the system. Their content is lost. */
void stack_give_pages_back(struct stack stack, const void *used);

/* From now on a write to a guard page is reported: one line on stderr that names --stack-size; then the process ends by
 * SIGSEGV, with a core if the system writes cores. Once, before fibers run. Does nothing in a build with a sanitizer that
 * handles SIGSEGV. Main thread. */
void stacks_report_overflow(void);
/* Gives the calling thread the alternate stack on which the report runs; without memory for it there is no report. */
void stacks_enter_thread(void);
/* Frees that stack. The same thread, at its end. */
void stacks_leave_thread(void);
/* Tells the report which stack the calling thread runs on. */
void stacks_use(const struct stack *stack);

#endif
