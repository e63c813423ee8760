/* SPDX-License-Identifier: MIT */
/* Fibers: what they keep over a switch, how they end, and what an overflow of a stack does. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/drivers/fiber/fiber.h"
#include "server/drivers/fiber/sanitizer.h"

enum { SIZE = 64 * 1024, PAGE = 4096 };

enum { SANITIZED = SANITIZER_ADDRESS || SANITIZER_THREAD };

struct counter {
    struct fiber fiber;
    unsigned steps;
    unsigned seen;
    double sum;
};

/* Keeps a number of each kind over each switch. */
static void count(void *arg)
{
    struct counter *counter = arg;
    double sum = 0.5;
    for (unsigned i = 1; i <= counter->steps; i++) {
        counter->seen = i;
        fiber_yield(&counter->fiber);
        sum += i;
    }
    counter->sum = sum;
}

static char *top_of(struct stack stack)
{
    return stack.low + stack.size;
}

Test(fiber, goes_on_where_it_was)
{
    struct stacks stacks;
    struct counter counters[3] = {{.steps = 5}, {.steps = 7}, {.steps = 0}};
    stacks_init(&stacks, SIZE, 2);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(stacks_reserve(&stacks), 0);
        struct stack stack = stacks_take(&stacks);
        cr_assert_not_null(stack.low);
        fiber_init(&counters[i].fiber, stack, top_of(stack), count, &counters[i]);
    }
    for (unsigned turn = 1; turn <= 8; turn++) {
        for (int i = 0; i < 3; i++) {
            if (!counters[i].fiber.over) {
                fiber_resume(&counters[i].fiber);
                cr_expect_eq(counters[i].seen, turn <= counters[i].steps ? turn : counters[i].steps);
            }
        }
    }
    for (int i = 0; i < 3; i++) {
        cr_expect(counters[i].fiber.over);
        cr_expect_float_eq(counters[i].sum, 0.5 + counters[i].steps * (counters[i].steps + 1) / 2.0, 1e-9);
        fiber_deinit(&counters[i].fiber);
        stacks_give(&stacks, counters[i].fiber.stack);
    }
    stacks_deinit(&stacks);
}

Test(fiber, a_stack_is_whole_pages_and_used_again)
{
    struct stacks stacks;
    stacks_init(&stacks, SIZE - 1, 2);
    cr_assert_eq(stacks_reserve(&stacks), 0);
    cr_assert_eq(stacks_reserve(&stacks), 0);
    struct stack first = stacks_take(&stacks);
    struct stack second = stacks_take(&stacks);
    cr_assert_eq(first.size, (size_t)SIZE);
    cr_assert_neq(first.low, second.low);
    memset(first.low, 1, first.size);
    memset(second.low, 1, second.size);
    stacks_give(&stacks, first);
    cr_assert_eq(stacks_reserve(&stacks), 0);
    stacks_cancel(&stacks);
    cr_assert_eq(stacks_reserve(&stacks), 0);
    struct stack again = stacks_take(&stacks);
    cr_expect_eq(again.low, first.low, "a spare stack is not used");
    stacks_give(&stacks, again);
    stacks_give(&stacks, second);
    stacks_deinit(&stacks);
}

Test(fiber, more_stacks_than_are_kept)
{
    enum { COUNT = 200 };
    struct stacks stacks;
    struct stack taken[COUNT];
    stacks_init(&stacks, SIZE, 2);
    for (int turn = 0; turn < 2; turn++) {
        for (int i = 0; i < COUNT; i++) {
            cr_assert_eq(stacks_reserve(&stacks), 0);
            taken[i] = stacks_take(&stacks);
            cr_assert_not_null(taken[i].low);
            taken[i].low[0] = taken[i].low[SIZE - 1] = 1;
        }
        for (int i = 0; i < COUNT; i++) {
            stacks_give(&stacks, taken[i]);
        }
    }
    stacks_deinit(&stacks);
}

static unsigned resident_pages(struct stack stack)
{
    unsigned char pages[SIZE / PAGE];
    unsigned count_resident = 0;
    cr_assert_eq(mincore(stack.low, stack.size, pages), 0);
    for (size_t i = 0; i < SIZE / PAGE; i++) {
        count_resident += pages[i] & 1;
    }
    return count_resident;
}

Test(fiber, pages_below_are_given_back)
{
    struct stacks stacks;
    stacks_init(&stacks, SIZE, 2);
    cr_assert_eq(stacks_reserve(&stacks), 0);
    struct stack stack = stacks_take(&stacks);
    memset(stack.low, 1, stack.size);
    cr_assert_eq(resident_pages(stack), (unsigned)(SIZE / PAGE));
    stack_give_pages_back(stack, stack.low + SIZE - PAGE - 1);
    cr_expect_eq(resident_pages(stack), 2u, "the page in use and the one above stay");
    cr_expect_eq(stack.low[SIZE - PAGE - 1], 1);
    cr_expect_eq(stack.low[0], 0);
    stack_give_pages_back(stack, stack.low + 1);
    stacks_give(&stacks, stack);
    stacks_deinit(&stacks);
}

static unsigned deeper(unsigned depth)
{
    volatile char room[512];
    room[0] = (char)depth;
    return depth == 0 ? 0 : deeper(depth - 1) + (unsigned)room[0];
}

static void overflow(void *arg)
{
    *(volatile unsigned *)arg = deeper(1u << 20);
}

/* In a child process whose stderr is `fd`. */
static void __attribute__((noreturn)) run_overflow(int fd)
{
    struct stacks stacks;
    struct fiber fiber;
    unsigned result;
    dup2(fd, STDERR_FILENO);
    stacks_report_overflow();
    stacks_enter_thread();
    stacks_init(&stacks, SIZE, 2);
    cr_assert_eq(stacks_reserve(&stacks), 0);
    struct stack stack = stacks_take(&stacks);
    fiber_init(&fiber, stack, top_of(stack), overflow, &result);
    fiber_resume(&fiber);
    _exit(0);
}

/* Valgrind reports the fault itself. */
static bool under_valgrind(void)
{
    const char *preload = getenv("LD_PRELOAD");
    return preload != NULL && strstr(preload, "/vgpreload_") != NULL;
}

Test(fiber, an_overflow_ends_the_process_with_a_line)
{
    if (under_valgrind()) {
        cr_skip_test("Valgrind reports the fault");
    }
    int ends[2];
    char text[4096] = "";
    int status;
    cr_assert_eq(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        run_overflow(ends[1]);
    }
    close(ends[1]);
    ssize_t length = read(ends[0], text, sizeof(text) - 1);
    cr_assert_geq(length, 0);
    close(ends[0]);
    cr_assert_eq(waitpid(child, &status, 0), child);
    if (SANITIZED) {
        cr_expect(WIFEXITED(status) ? WEXITSTATUS(status) != 0 : WIFSIGNALED(status));
    } else {
        cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "status %d", status);
        cr_expect_str_eq(text, "echod: the stack of a fiber is too small: raise --stack-size\n");
    }
}
