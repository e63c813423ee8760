/* SPDX-License-Identifier: MIT */
/* Stacks for fibers, each above a guard page, so that an overflow ends the process and never writes into other memory. */
#ifndef ECHOD_SERVER_DRIVERS_FIBER_STACKS_H
#define ECHOD_SERVER_DRIVERS_FIBER_STACKS_H

#include <stdbool.h>
#include <stddef.h>

/* Mappings that a stack takes: itself and its guard page. */
enum { STACKS_MAPPINGS = 2 };

/* Memory from `low` on, `size` bytes. The guard page is below. A plain value. */
struct stack {
    char *low; /* NULL: none */
    size_t size;
};

/* The stacks of one loop. The loop's thread calls all functions. */
struct stacks {
    size_t size;        /* of each, a multiple of the page size */
    struct spare_stack *spare; /* kept for fibers to come, so that churn costs no mmap */
    unsigned spare_count;
    unsigned spare_max;
};

/* Sets the size of the stacks, rounded up to whole pages; `loops` is the number of loops, which share what may be kept.
 * Allocates nothing. */
void stacks_init(struct stacks *stacks, size_t size, unsigned loops);
/* Unmaps the spare stacks. All others must have been given back. */
void stacks_deinit(struct stacks *stacks);

/* Returns a stack, which the caller owns; `low` is NULL, with errno set, if there is no memory or mapping for it. Its
 * memory is zero or what an earlier owner has left. */
struct stack stacks_take(struct stacks *stacks);
/* Takes a stack back. */
void stacks_give(struct stacks *stacks, struct stack stack);

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
