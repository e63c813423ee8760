/* SPDX-License-Identifier: MIT */
/* A fiber: a function with a stack of its own that its loop resumes, and that yields to its loop. Neither makes
 * a system call: Boost.Context saves the registers that a call must keep, and changes the stack. */
#ifndef ECHOD_SERVER_DRIVERS_FIBER_FIBER_H
#define ECHOD_SERVER_DRIVERS_FIBER_FIBER_H

#include <stdbool.h>

#include "server/drivers/fiber/stacks.h"

/* Owned by whoever calls fiber_init; may lie at the top of its own stack. */
struct fiber {
    void *context; /* where the side that does not run goes on: the fiber or the loop */
    void (*main)(void *arg);
    void *arg;
    struct stack stack;
    bool over;              /* `main` has returned */
    void *fake_stack;       /* AddressSanitizer's, of the side that does not run */
    const void *loop_stack; /* AddressSanitizer: the loop's stack */
    size_t loop_stack_size;
    void *tsan_fiber; /* ThreadSanitizer's name of the fiber, and of the loop */
    void *tsan_loop;
    unsigned valgrind_id;
};

/* Prepares a fiber that will run main(arg) on the part of the stack below `top`, at the first fiber_resume. The stack
 * stays the caller's. */
void fiber_init(struct fiber *fiber, struct stack stack, char *top, void (*main)(void *arg), void *arg);
/* Tells the sanitizers that the fiber's stack will be used otherwise. Before the stack is given back. */
void fiber_deinit(struct fiber *fiber);

/* Runs the fiber until it yields or its function returns; then `over` is set, and it must not be resumed again. The
 * loop's thread, not from within a fiber. */
void fiber_resume(struct fiber *fiber);
/* Within the fiber: goes on in the loop, behind fiber_resume. Returns at the next fiber_resume. */
void fiber_yield(struct fiber *fiber);

#endif
