/* SPDX-License-Identifier: MIT */
/* Maps, keeps and unmaps stacks, and reports an overflow. */
#include "server/drivers/fiber/stacks.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "server/drivers/fiber/sanitizer.h"

/* Sanitizers report a fault themselves. LeakSanitizer must be told to look for pointers on the stacks. */
#if SANITIZER_ADDRESS
#include <sanitizer/lsan_interface.h>
#define LSAN(statement) statement
#else
#define LSAN(statement) ((void)0)
#endif
#define REPORTS_FAULTS (!SANITIZER_ADDRESS && !SANITIZER_THREAD)

enum {
    SPARE_STACKS_MAX = 256,    /* of all loops together: each takes two of the system's mappings */
    ALTERNATE_MIN = 16 * 1024, /* bytes of the stack on which an overflow is reported */
};

/* At the lowest address of a stack that nobody uses. */
struct spare_stack {
    struct spare_stack *next;
};

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

void stacks_init(struct stacks *stacks, size_t size, unsigned loops)
{
    size_t page = page_size();
    *stacks = (struct stacks){.size = (size + page - 1) / page * page, .spare_max = SPARE_STACKS_MAX / loops};
    mutex_init(&stacks->mutex);
}

static void stack_unmap(struct stack stack)
{
    size_t guard = page_size();
    LSAN(__lsan_unregister_root_region(stack.low, stack.size));
    munmap(stack.low - guard, stack.size + guard);
}

void stacks_deinit(struct stacks *stacks)
{
    mutex_lock(&stacks->mutex, stacks_lock);
    while (stacks->spare != NULL) {
        struct stack stack = {.low = (char *)stacks->spare, .size = stacks->size};
        stacks->spare = stacks->spare->next;
        stack_unmap(stack);
    }
    mutex_unlock(&stacks->mutex, stacks_lock);
    mutex_deinit(&stacks->mutex);
}

static struct stack stack_map(size_t size)
{
    size_t guard = page_size();
    char *memory =
        mmap(NULL, guard + size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        return (struct stack){.low = NULL};
    }
    if (mprotect(memory + guard, size, PROT_READ | PROT_WRITE) != 0) {
        int error = errno;
        munmap(memory, guard + size);
        errno = error;
        return (struct stack){.low = NULL};
    }
    LSAN(__lsan_register_root_region(memory + guard, size));
    return (struct stack){.low = memory + guard, .size = size};
}

static void stacks_keep(struct stacks *stacks, struct stack stack) MUTEX_REQUIRES(stacks_lock)
{
    struct spare_stack *spare = (struct spare_stack *)(void *)stack.low;
    spare->next = stacks->spare;
    stacks->spare = spare;
    stacks->spare_count++;
}

static struct stack stacks_pop(struct stacks *stacks) MUTEX_REQUIRES(stacks_lock)
{
    struct stack stack = {.low = (char *)stacks->spare, .size = stacks->size};
    stacks->spare = stacks->spare->next;
    stacks->spare_count--;
    return stack;
}

int stacks_reserve(struct stacks *stacks)
{
    MUTEX_HOLD(&stacks->mutex, stacks_lock);
    if (stacks->spare_count == stacks->reserved) {
        struct stack stack = stack_map(stacks->size);
        if (stack.low == NULL) {
            return -errno;
        }
        stacks_keep(stacks, stack);
    }
    stacks->reserved++;
    return 0;
}

void stacks_cancel(struct stacks *stacks)
{
    MUTEX_HOLD(&stacks->mutex, stacks_lock);
    stacks->reserved--;
}

struct stack stacks_take(struct stacks *stacks)
{
    MUTEX_HOLD(&stacks->mutex, stacks_lock);
    stacks->reserved--;
    return stacks_pop(stacks);
}

void stacks_give(struct stacks *stacks, struct stack stack)
{
    mutex_lock(&stacks->mutex, stacks_lock);
    bool keeps = stacks->spare_count < stacks->reserved + stacks->spare_max;
    if (keeps) {
        stacks_keep(stacks, stack);
    }
    mutex_unlock(&stacks->mutex, stacks_lock);
    if (!keeps) {
        stack_unmap(stack);
    }
}

void stack_give_pages_back(struct stack stack, const void *used)
{
    size_t page = page_size();
    size_t length = ((uintptr_t)used - (uintptr_t)stack.low) / page * page;
    if (length > 0) {
        madvise(stack.low, length, MADV_DONTNEED);
    }
}

/* ---- the report of an overflow ---- */

static _Thread_local const struct stack *current;
static _Thread_local char *alternate;

void stacks_use(const struct stack *stack)
{
    current = stack;
}

static size_t alternate_size(void)
{
    long least = sysconf(_SC_SIGSTKSZ);
    return least > ALTERNATE_MIN ? (size_t)least : ALTERNATE_MIN;
}

void stacks_enter_thread(void)
{
    if (!REPORTS_FAULTS) {
        return;
    }
    stack_t stack = {.ss_size = alternate_size()};
    stack.ss_sp = alternate = malloc(stack.ss_size);
    if (alternate != NULL) {
        sigaltstack(&stack, NULL);
    }
}

void stacks_leave_thread(void)
{
    if (!REPORTS_FAULTS) {
        return;
    }
    stack_t none = {.ss_flags = SS_DISABLE};
    sigaltstack(&none, NULL);
    free(alternate);
    alternate = NULL;
}

/* The handler is reset: when it returns, the same instruction faults again, and ends the process as it would have without
 * a handler. */
static void on_fault(int number, siginfo_t *info, void *context)
{
    static const char text[] = "echod: the stack of a fiber is too small: raise --stack-size\n";
    const struct stack *stack = current;
    uintptr_t address = (uintptr_t)info->si_addr;
    (void)context;
    if (stack != NULL && address < (uintptr_t)stack->low && address >= (uintptr_t)stack->low - page_size()) {
        ssize_t written = write(STDERR_FILENO, text, sizeof(text) - 1);
        (void)written;
    }
    if (info->si_code <= 0) { /* somebody has sent the signal */
        raise(number);
    }
}

void stacks_report_overflow(void)
{
    struct sigaction action = {.sa_sigaction = on_fault,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK | (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    if (REPORTS_FAULTS) {
        sigaction(SIGSEGV, &action, NULL);
    }
}
