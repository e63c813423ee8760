/* SPDX-License-Identifier: MIT */
/* Switches between a loop and its fibers, and tells the sanitizers. */
#include "server/drivers/fiber/fiber.h"

#include <stddef.h>

#include "server/drivers/fiber/sanitizer.h"

#if SANITIZER_ADDRESS
#include <sanitizer/common_interface_defs.h>
#define START_SWITCH(save, bottom, size)  __sanitizer_start_switch_fiber(save, bottom, size)
#define FINISH_SWITCH(fake, bottom, size) __sanitizer_finish_switch_fiber(fake, bottom, size)
#else
#define START_SWITCH(save, bottom, size)  ((void)(save))
#define FINISH_SWITCH(fake, bottom, size) ((void)(fake))
#endif

#if SANITIZER_THREAD
#include <sanitizer/tsan_interface.h>
#define TSAN(statement) statement
#else
#define TSAN(statement) ((void)0)
#endif

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(low, high) 0
#define VALGRIND_STACK_DEREGISTER(id)      ((void)(id))
#endif

/* Boost.Context's interface, which its headers declare for C++ only. */
struct jump {
    void *from; /* where the side that has jumped goes on */
    void *data;
};
extern struct jump jump_fcontext(void *to, void *data);
extern void *make_fcontext(void *top, size_t size, void (*main)(struct jump jump));

static void fiber_main(struct jump jump)
{
    struct fiber *fiber = jump.data;
    FINISH_SWITCH(NULL, &fiber->loop_stack, &fiber->loop_stack_size);
    fiber->context = jump.from;
    fiber->main(fiber->arg);
    fiber->over = true;
    START_SWITCH(NULL, fiber->loop_stack, fiber->loop_stack_size);
    TSAN(__tsan_switch_to_fiber(fiber->tsan_loop, 0));
    jump_fcontext(fiber->context, NULL);
    __builtin_unreachable();
}

void fiber_init(struct fiber *fiber, struct stack stack, char *top, void (*main)(void *arg), void *arg)
{
    *fiber = (struct fiber){.main = main, .arg = arg, .stack = stack};
    fiber->context = make_fcontext(top, (size_t)(top - stack.low), fiber_main);
    fiber->valgrind_id = VALGRIND_STACK_REGISTER(stack.low, top);
    TSAN(fiber->tsan_fiber = __tsan_create_fiber(0));
}

void fiber_deinit(struct fiber *fiber)
{
    VALGRIND_STACK_DEREGISTER(fiber->valgrind_id);
    TSAN(__tsan_destroy_fiber(fiber->tsan_fiber));
}

void fiber_resume(struct fiber *fiber)
{
    stacks_use(&fiber->stack);
    START_SWITCH(&fiber->fake_stack, fiber->stack.low, fiber->stack.size);
    TSAN(fiber->tsan_loop = __tsan_get_current_fiber());
    TSAN(__tsan_switch_to_fiber(fiber->tsan_fiber, 0));
    struct jump jump = jump_fcontext(fiber->context, fiber);
    FINISH_SWITCH(fiber->fake_stack, NULL, NULL);
    fiber->context = jump.from;
    stacks_use(NULL);
}

void fiber_yield(struct fiber *fiber)
{
    void *fake_stack = NULL;
    START_SWITCH(&fake_stack, fiber->loop_stack, fiber->loop_stack_size);
    TSAN(__tsan_switch_to_fiber(fiber->tsan_loop, 0));
    struct jump jump = jump_fcontext(fiber->context, NULL);
    FINISH_SWITCH(fake_stack, &fiber->loop_stack, &fiber->loop_stack_size);
    fiber->context = jump.from;
}
