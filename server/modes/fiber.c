/* SPDX-License-Identifier: MIT */
/* --mode fiber: a user-space thread with a small stack for each connection, over event loops. It runs the blocking code
 * of mode thread; worker threads run what blocks or computes. */
#include <errno.h>

#include "server/drivers/event/loops.h"
#include "server/drivers/fiber/fibers.h"
#include "server/drivers/fiber/sanitizer.h"
#include "server/drivers/shared/workers.h"
#include "server/modes/mode.h"

#if SANITIZER_ADDRESS || SANITIZER_THREAD
enum { FIBER_STACK_SIZE = 256 * 1024 }; /* frames are larger by what the sanitizer puts between variables */
#else
enum { FIBER_STACK_SIZE = 32 * 1024 };
#endif

static unsigned fiber_worker_count(const struct server *server)
{
    return server->options->workers > 0 ? server->options->workers : server->cpus;
}

static size_t fiber_counters(const struct server *server)
{
    return loops_counters(server) + fiber_worker_count(server);
}

static int fiber_init_loop(void *state, struct server *server, struct reactor *reactor)
{
    return fibers_init(state, server, reactor, mode_stack_size(server));
}

static int fiber_reserve(void *state)
{
    return fibers_reserve(state);
}

static void fiber_cancel(void *state)
{
    fibers_cancel(state);
}

static bool fiber_add(void *state, const struct accepted *accepted)
{
    return fibers_add(state, accepted);
}

static void fiber_drain(void *state)
{
    fibers_drain(state);
}

static void fiber_report_loop(const void *state, struct report *report)
{
    fibers_report(state, report);
}

static void fiber_deinit_loop(void *state)
{
    fibers_deinit(state);
}

static const struct loops_driver driver = {
    .size = sizeof(struct fibers),
    .init = fiber_init_loop,
    .thread_begin = stacks_enter_thread,
    .thread_end = stacks_leave_thread,
    .reserve = fiber_reserve,
    .cancel = fiber_cancel,
    .add = fiber_add,
    .drain = fiber_drain,
    .report = fiber_report_loop,
    .deinit = fiber_deinit_loop,
};

static int fiber_start(struct server *server)
{
    struct workers *workers =
        workers_start(server->service.scoreboard, SERVER_MODE_COUNTERS + loops_counters(server),
                      fiber_worker_count(server), server->options->queue);
    if (workers == NULL) {
        return -errno;
    }
    stacks_report_overflow();
    return loops_start(server, workers, &driver);
}

static int fiber_probe(struct server *server)
{
    struct stacks stacks;
    stacks_init(&stacks, mode_stack_size(server), server->loops);
    int error = stacks_reserve(&stacks);
    stacks_deinit(&stacks);
    return error;
}

static void fiber_report(struct server *server, struct report *report)
{
    loops_report(server, report);
    report_workers(report, "worker", SERVER_MODE_COUNTERS + loops_counters(server),
                   fiber_worker_count(server));
}

const struct mode mode_fiber = {
    .name = "fiber",
    .summary = "one fiber per connection, blocking code on event loops",
    .cost = LIMITS_STACK,
    .stack_size = FIBER_STACK_SIZE,
    .loops = true,
    .workers = fiber_worker_count,
    .loop_descriptors = LOOPS_DESCRIPTORS + 2, /* the eventfd by which work returns, a timerfd */
    .counters = fiber_counters,
    .start = fiber_start,
    .serve = loops_serve,
    .probe = fiber_probe,
    .drain = loops_drain,
    .report = fiber_report,
    .stop = loops_stop,
};
