/* SPDX-License-Identifier: MIT */
/* What leaving a stack for another costs, by the ways that are open to a C program.
 *
 *     switch boost|ucontext|longjmp|threads SWITCHES
 *
 * Two stacks take turns. `longjmp` enters the second stack by makecontext(3) once, and then uses sigsetjmp(3) without the
 * signal mask. `threads` are two threads that wake each other by a semaphore: it is the kernel that changes their stacks.
 * Prints one line of JSON. */

#include <errno.h>
#include <semaphore.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>

enum { STACK_SIZE = 64 << 10 };

/* Boost.Context's interface, which its headers declare for C++ only. */
struct jump {
    void *from;
    void *data;
};
extern struct jump jump_fcontext(void *to, void *data);
extern void *make_fcontext(void *top, size_t size, void (*main)(struct jump jump));

static char stack[STACK_SIZE] __attribute__((aligned(64)));
static uint64_t rounds; /* each is two switches: there and back */

static void other_of_boost(struct jump jump)
{
    for (;;) {
        jump = jump_fcontext(jump.from, NULL);
    }
}

static void by_boost(void)
{
    void *other = make_fcontext(stack + STACK_SIZE, STACK_SIZE, other_of_boost);
    for (uint64_t i = 0; i < rounds; i++) {
        other = jump_fcontext(other, NULL).from;
    }
}

static ucontext_t context, other_context;

static void prepare_other(void (*main)(void))
{
    getcontext(&other_context);
    other_context.uc_stack.ss_sp = stack;
    other_context.uc_stack.ss_size = STACK_SIZE;
    other_context.uc_link = NULL;
    makecontext(&other_context, main, 0);
}

static void other_of_ucontext(void)
{
    for (;;) {
        swapcontext(&other_context, &context);
    }
}

static void by_ucontext(void)
{
    prepare_other(other_of_ucontext);
    for (uint64_t i = 0; i < rounds; i++) {
        swapcontext(&context, &other_context);
    }
}

static sigjmp_buf here, there;

static void other_of_longjmp(void)
{
    for (;;) {
        if (sigsetjmp(there, 0) == 0) {
            siglongjmp(here, 1);
        }
    }
}

static void by_longjmp(void)
{
    prepare_other(other_of_longjmp);
    if (sigsetjmp(here, 0) == 0) {
        setcontext(&other_context);
    }
    for (volatile uint64_t i = 0; i < rounds; i++) {
        if (sigsetjmp(here, 0) == 0) {
            siglongjmp(there, 1);
        }
    }
}

static sem_t ours, theirs;

static void *other_of_threads(void *unused)
{
    for (uint64_t i = 0; i < rounds; i++) {
        sem_wait(&theirs);
        sem_post(&ours);
    }
    return unused;
}

static void by_threads(void)
{
    pthread_t thread;
    sem_init(&ours, 0, 0);
    sem_init(&theirs, 0, 0);
    int error = pthread_create(&thread, NULL, other_of_threads, NULL);
    if (error != 0) {
        fprintf(stderr, "switch: cannot start a thread: %s\n", strerror(error));
        exit(1);
    }
    for (uint64_t i = 0; i < rounds; i++) {
        sem_post(&theirs);
        sem_wait(&ours);
    }
    pthread_join(thread, NULL);
}

static const struct way {
    const char *name;
    void (*run)(void);
} ways[] = {{"boost", by_boost}, {"ucontext", by_ucontext}, {"longjmp", by_longjmp}, {"threads", by_threads}};

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    char *end = "";
    rounds = argc == 3 ? strtoull(argv[2], &end, 10) / 2 : 0;
    for (size_t i = 0; rounds > 0 && *end == '\0' && i < sizeof ways / sizeof *ways; i++) {
        if (strcmp(argv[1], ways[i].name) == 0) {
            double began = now();
            ways[i].run();
            printf("{\"way\": \"%s\", \"switches\": %llu, \"ns_per_switch\": %.1f}\n", ways[i].name,
                   (unsigned long long)(2 * rounds), (now() - began) * 1e9 / (double)(2 * rounds));
            return 0;
        }
    }
    fprintf(stderr, "usage: switch boost|ucontext|longjmp|threads SWITCHES\n");
    return 2;
}
