/* SPDX-License-Identifier: MIT */
/* How much work the workers take: what idle workers are about to take does not wait, and at most `queue` pieces do. */
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <semaphore.h>

#include "server/drivers/shared/workers.h"

enum { WORKERS = 2, QUEUE = 3, ALL = WORKERS + QUEUE, QUICK = 1000 };

static sem_t begun, let_go;
static struct completions completions;
static struct scoreboard *scoreboard;
static struct workers *workers;

static void run_blocked(struct work *work)
{
    sem_post(&begun);
    sem_wait(&let_go);
    work->output = work->input + 1;
}

static void run_quickly(struct work *work)
{
    work->output = work->input + 1;
}

static int submit(struct work *work, void (*run)(struct work *work), uint64_t input)
{
    *work = (struct work){.run = run, .input = input};
    return workers_submit(workers, work, &completions, work);
}

static uint64_t depth(void)
{
    return (uint64_t)atomic_load(&scoreboard->queued);
}

static void wait_for_begun(int count)
{
    for (int i = 0; i < count; i++) {
        sem_wait(&begun);
    }
}

/* Waits for that many pieces to come back, each to its owner and done. */
static void take_back(int count)
{
    while (count > 0) {
        struct pollfd wakeup = {.fd = completions.wakeup.fd, .events = POLLIN};
        struct work_list list;
        struct work *work;
        cr_assert_eq(poll(&wakeup, 1, 30000), 1, "%d pieces do not come back", count);
        completions_take(&completions, &list);
        STAILQ_FOREACH(work, &list, next)
        {
            cr_expect_eq(work->output, work->input + 1);
            cr_expect_eq(work->owner, work);
            count--;
        }
    }
    cr_expect_eq(count, 0, "%d too many", -count);
}

static void set_up(void)
{
    sem_init(&begun, 0, 0);
    sem_init(&let_go, 0, 0);
    scoreboard = scoreboard_new(WORKERS, 0);
    cr_assert_not_null(scoreboard);
    cr_assert_eq(completions_init(&completions), 0);
    workers = workers_start(scoreboard, 0, WORKERS, QUEUE);
    cr_assert_not_null(workers);
}

static void take_down(void)
{
    workers_stop(workers);
    completions_deinit(&completions);
    scoreboard_free(scoreboard);
}

Test(workers, the_queue_behind_busy_workers, .init = set_up, .fini = take_down, .timeout = 60)
{
    struct work work[ALL], more;
    for (int i = 0; i < WORKERS; i++) {
        cr_assert_eq(submit(&work[i], run_blocked, (uint64_t)i), 0);
    }
    wait_for_begun(WORKERS);
    cr_expect_eq(depth(), 0);
    for (int i = WORKERS; i < ALL; i++) {
        cr_assert_eq(submit(&work[i], run_blocked, (uint64_t)i), 0, "%d of %d wait", i - WORKERS, QUEUE);
        cr_expect_eq(depth(), (uint64_t)(i - WORKERS + 1));
    }
    cr_expect_eq(submit(&more, run_blocked, 0), -EAGAIN, "the queue is full");
    cr_expect_eq(depth(), QUEUE, "what is refused does not wait");

    sem_post(&let_go);
    take_back(1);
    wait_for_begun(1); /* the worker has taken one of those that waited */
    cr_expect_eq(depth(), QUEUE - 1);
    cr_expect_eq(submit(&more, run_blocked, 0), 0, "there is room again");
    cr_expect_eq(depth(), QUEUE);
    for (int i = 0; i < ALL; i++) {
        sem_post(&let_go);
    }
    take_back(ALL);
    cr_expect_eq(depth(), 0);
}

/* No worker may have woken up yet. */
Test(workers, a_burst_for_idle_workers, .init = set_up, .fini = take_down, .timeout = 60)
{
    struct work work[ALL], more;
    for (int i = 0; i < ALL; i++) {
        cr_assert_eq(submit(&work[i], run_blocked, (uint64_t)i), 0, "%d of %d", i, ALL);
    }
    cr_expect_eq(submit(&more, run_blocked, 0), -EAGAIN, "more than idle workers and the queue");
    for (int i = 0; i < ALL; i++) {
        sem_post(&let_go);
    }
    take_back(ALL);
}

/* What counts the idle workers is right again after each piece: the queue never shrinks or grows. */
Test(workers, one_piece_after_another, .init = set_up, .fini = take_down, .timeout = 60)
{
    struct work work[ALL], more;
    for (int i = 0; i < QUICK; i++) {
        cr_assert_eq(submit(&work[0], run_quickly, (uint64_t)i), 0);
        take_back(1);
    }
    for (int i = 0; i < ALL; i++) {
        int error = submit(&work[i], run_blocked, (uint64_t)i);
        if (error != 0 && i == ALL - 1) { /* the last worker may not have counted itself as idle yet */
            wait_for_begun(WORKERS);
            error = submit(&work[i], run_blocked, (uint64_t)i);
        }
        cr_assert_eq(error, 0, "%d of %d", i, ALL);
    }
    cr_expect_eq(submit(&more, run_blocked, 0), -EAGAIN);
    for (int i = 0; i < ALL; i++) {
        sem_post(&let_go);
    }
    take_back(ALL);
}

Test(workers, what_waits_is_finished_before_the_end, .init = set_up, .timeout = 60)
{
    struct work work[ALL];
    for (int i = 0; i < ALL; i++) {
        cr_assert_eq(submit(&work[i], run_quickly, (uint64_t)i), 0);
    }
    workers_stop(workers);
    take_back(ALL);
    completions_deinit(&completions);
    scoreboard_free(scoreboard);
}
