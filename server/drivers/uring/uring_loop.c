/* SPDX-License-Identifier: MIT */
/* The turns of a loop: a system call, its completions, the queued connections, a sweep now and then. */
#include "server/drivers/uring/uring_loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "server/drivers/shared/shortage.h"
#include "server/drivers/uring/uring_connection.h"
#include "server/net/warn.h"

/* If the system call fails for that long, without a success in between, the failure is considered permanent. */
enum { FAILING_MS = 2000 };
/* How often is checked whether the client of a connection that waits or works has reset it. */
enum { LOOK_MS = 400 };

/* ---- what other threads ask for ---- */

static void take_arrived(struct uring_loop *loop)
{
    struct uring_queue arrived = STAILQ_HEAD_INITIALIZER(arrived);
    mutex_lock(&loop->mutex, uring_lock);
    STAILQ_CONCAT(&arrived, &loop->arrived);
    mutex_unlock(&loop->mutex, uring_lock);
    struct uring_connection *c;
    while ((c = STAILQ_FIRST(&arrived)) != NULL) {
        STAILQ_REMOVE_HEAD(&arrived, next);
        shortage_over(loop->server);
        uring_connection_begin(c);
    }
}

static void drain(struct uring_loop *loop)
{
    bool cutting = scoreboard_cutting(loop->server->service.scoreboard);
    loop->draining = true;
    for (int list = 0; list < URING_LISTS; list++) {
        struct uring_connection *c = TAILQ_FIRST(&loop->lists[list]);
        while (c != NULL) {
            struct uring_connection *next = TAILQ_NEXT(c, others);
            uring_connection_drain(c, cutting);
            c = next;
        }
    }
    access_log_flush(&loop->context);
}

static void report_to(struct uring_loop *loop, struct report *report)
{
    for (int list = 0; list < URING_LISTS; list++) {
        const struct uring_connection *c;
        TAILQ_FOREACH(c, &loop->lists[list], others)
        {
            report_add(report, uring_connection_activity(c), 1);
        }
    }
    report_end(report);
}

static void woken(struct uring_loop *loop)
{
    enum inbox_order order = inbox_take(&loop->orders);
    take_arrived(loop);
    struct report *report = atomic_exchange(&loop->report, NULL);
    if (report != NULL) {
        report_to(loop, report);
    }
    switch (order) {
    case INBOX_SERVE: break;
    case INBOX_DRAIN: drain(loop); break;
    case INBOX_STOP: loop->stopped = true; break;
    }
}

/* ---- sweeps ---- */

/* The timers that have restarted since the last sweep run from now on. */
static void start_timers(struct uring_loop *loop, uint64_t now)
{
    struct uring_connection *c;
    while ((c = TAILQ_FIRST(&loop->lists[URING_RESTARTED])) != NULL) {
        session_timer_take(&c->session);
        c->since = now;
        uring_core_move(c, (enum uring_list)c->session.timer);
    }
}

static void judge(struct uring_loop *loop, enum timer timer, uint64_t limit, uint64_t then, uint64_t now)
{
    struct uring_connection *c;
    while (limit != 0 && (c = TAILQ_FIRST(&loop->lists[timer])) != NULL && then >= c->since + limit) {
        c->since = now;
        uring_core_move(c, (enum uring_list)timer);
        uring_connection_due(c);
    }
}

static void sweep(struct uring_loop *loop, uint64_t now)
{
    TRACE(sweep_begin, UINT64_C(0), (uint64_t)loop->count);
    uint64_t before = loop->swept_ms;
    loop->swept_ms = now;
    start_timers(loop, now);
    judge(loop, TIMER_NONE, LOOK_MS, now, now);
    for (enum timer timer = TIMER_IDLE; timer <= TIMER_BODY; timer++) {
        judge(loop, timer, loop->server->timeouts.limit[timer], before, now);
    }
    access_log_flush(&loop->context);
    TRACE(sweep_end, UINT64_C(0), (uint64_t)loop->count);
    bool goes_on = loop->count > 0 || access_log_has_lines(&loop->context);
    loop->sweep_at_ms = goes_on ? now + loop->sweep_interval_ms : 0;
}

/* ---- the turns ---- */

static void on_completion(void *arg, const struct ring_completion *completion)
{
    struct uring_loop *loop = arg;
    if (unlikely(loop->gatherer != NULL) &&
        (completion->owner != loop->gatherer || completion->tag != RING_RECEIVE || completion->result <= 0)) {
        uring_connection_pass_gathered(loop);
    }
    if (completion->tag == RING_WAKEUP) {
        loop->watches = completion->more;
        woken(loop);
    } else if (completion->tag != RING_NONE) {
        uring_connection_complete(completion->owner, completion);
    }
}

static void take_completions(struct uring_loop *loop)
{
    ring_take(&loop->ring, on_completion, loop);
    uring_connection_pass_gathered(loop);
}

/* Connections queued from now on are handled after the next system call. If completions arrive, the rest of the queue waits
 * for it, too: handling a connection may read its socket, so all earlier completions must have been handled. */
static void take_queue(struct uring_loop *loop, struct uring_queue *queue, bool may_work)
{
    struct uring_queue taken = STAILQ_HEAD_INITIALIZER(taken);
    STAILQ_CONCAT(&taken, queue);
    struct uring_connection *c;
    while ((c = STAILQ_FIRST(&taken)) != NULL && !ring_has_completions(&loop->ring)) {
        STAILQ_REMOVE_HEAD(&taken, next);
        uring_connection_look(c, may_work);
    }
    STAILQ_CONCAT(&taken, queue);
    STAILQ_CONCAT(queue, &taken);
}

/* Until the next sweep, in milliseconds; -1: none is needed. */
static int64_t wait_ms(const struct uring_loop *loop)
{
    if (!STAILQ_EMPTY(&loop->queue) || !STAILQ_EMPTY(&loop->works) || !loop->watches) {
        return 0;
    }
    if (loop->sweep_at_ms == 0) {
        return -1;
    }
    uint64_t now = clock_coarse_ms();
    return loop->sweep_at_ms > now ? (int64_t)(loop->sweep_at_ms - now) : 0;
}

static COLD __attribute__((noreturn)) void die(const char *why)
{
    warn("cannot continue: io_uring_enter: %s", why);
    _exit(EXIT_FAILURE);
}

static COLD void mind_failure(struct uring_loop *loop, int error)
{
    uint64_t now = clock_ms();
    if (error == -EBADR) { /* bytes are missing somewhere, or the end of an answer */
        die("completions were lost for want of memory");
    }
    if (loop->fails_since_ms == 0) {
        loop->fails_since_ms = now;
    } else if (now - loop->fails_since_ms > FAILING_MS) {
        die(strerror(-error));
    }
    static const struct timespec moment = {.tv_nsec = 1000000};
    nanosleep(&moment, NULL);
}

static void submit_and_wait(struct uring_loop *loop, int64_t timeout_ms)
{
    int error = ring_submit_and_wait(&loop->ring, timeout_ms);
    if (unlikely(error != 0)) {
        mind_failure(loop, error);
    } else {
        loop->fails_since_ms = 0;
    }
    loop->retried = 0;
}

/* Work blocks the loop, so connections that are about to end do so first. That can take two system calls: one for the last
 * answer, one for the operations cancelled after it. */
static COLD void run_works(struct uring_loop *loop)
{
    enum { CALLS = 2 };
    for (int i = 0; i < CALLS && (loop->ending > 0 || !STAILQ_EMPTY(&loop->queue)); i++) {
        submit_and_wait(loop, 0);
        take_completions(loop);
        take_queue(loop, &loop->queue, false);
    }
    take_queue(loop, &loop->works, true);
}

static void turn(struct uring_loop *loop)
{
    take_completions(loop);
    if (loop->sweep_at_ms == 0 && access_log_has_lines(&loop->context)) {
        uring_core_sweep_from_now(loop);
    }
    uint64_t now = loop->sweep_at_ms == 0 ? 0 : clock_coarse_ms();
    if (loop->sweep_at_ms != 0 && now >= loop->sweep_at_ms) {
        sweep(loop, now);
    }
    take_queue(loop, &loop->queue, false);
    if (!STAILQ_EMPTY(&loop->works)) {
        run_works(loop);
    }
}

/* Tells uring_loop_start. */
static void tell_entered(struct uring_loop *loop, int result)
{
    mutex_lock(&loop->mutex, uring_lock);
    loop->entered = result;
    condition_wake_one(&loop->has_entered);
    mutex_unlock(&loop->mutex, uring_lock);
}

static void *loop_main(void *arg)
{
    struct uring_loop *loop = arg;
    trace_thread_begin(TRACE_LOOP, loop->number);
    int error = ring_enter_thread(&loop->ring);
    loop->stopped = error != 0;
    tell_entered(loop, error != 0 ? error : 1);
    while (!loop->stopped) {
        if (!loop->watches) { /* if the ring is full now, it has room after the system call */
            loop->watches = ring_watch(&loop->ring, loop->orders.wakeup.fd, loop);
        }
        submit_and_wait(loop, wait_ms(loop));
        turn(loop);
    }
    trace_thread_end();
    return NULL;
}

/* ---- from the main thread ---- */

static void free_memory(struct uring_loop *loop)
{
    free(loop->scratch);
    free(loop->input);
    free(loop->log_text);
}

static int allocate(struct uring_loop *loop, struct counters *counters)
{
    struct server *server = loop->server;
    bool logs = server->log->path != NULL;
    loop->scratch = malloc(SESSION_SCRATCH_MIN);
    loop->input = malloc(URING_INPUT_SIZE);
    loop->log_text = logs ? malloc(ACCESS_LOG_LOOP_SIZE) : NULL;
    if (loop->scratch == NULL || loop->input == NULL || (logs && loop->log_text == NULL)) {
        free_memory(loop);
        return -ENOMEM;
    }
    context_init(&loop->context, &server->service, counters, loop->scratch, SESSION_SCRATCH_MIN);
    access_log_lend(server->log, &loop->log, &loop->context, loop->log_text, ACCESS_LOG_LOOP_SIZE);
    return 0;
}

/* Returns 0 or the error of ring_enter_thread. */
static int await_entered(struct uring_loop *loop)
{
    mutex_lock(&loop->mutex, uring_lock);
    while (loop->entered == 0) {
        condition_wait(&loop->has_entered, &loop->mutex, uring_lock);
    }
    int error = loop->entered < 0 ? loop->entered : 0;
    mutex_unlock(&loop->mutex, uring_lock);
    return error;
}

static int start_thread(struct uring_loop *loop)
{
    int error = -pthread_create(&loop->thread, NULL, loop_main, loop);
    if (error != 0) {
        return error;
    }
    error = await_entered(loop);
    if (error != 0) {
        pthread_join(loop->thread, NULL);
    }
    return error;
}

int uring_loop_start(struct uring_loop *loop, uint64_t number, struct server *server,
                     struct counters *counters, struct lingerers *lingerers)
{
    *loop = (struct uring_loop){.number = number,
                                .server = server,
                                .lingerers = lingerers,
                                .sweep_interval_ms = timeouts_sweep_interval(&server->timeouts)};
    for (int list = 0; list < URING_LISTS; list++) {
        TAILQ_INIT(&loop->lists[list]);
    }
    STAILQ_INIT(&loop->queue);
    STAILQ_INIT(&loop->works);
    mutex_init(&loop->mutex);
    condition_init(&loop->has_entered);
    mutex_lock(&loop->mutex, uring_lock);
    STAILQ_INIT(&loop->arrived);
    mutex_unlock(&loop->mutex, uring_lock);
    int error = allocate(loop, counters);
    if (error != 0) {
        goto fail_memory;
    }
    error = inbox_init(&loop->orders);
    if (error != 0) {
        goto fail_inbox;
    }
    error = ring_init(&loop->ring);
    if (error != 0) {
        goto fail_ring;
    }
    error = start_thread(loop);
    if (error == 0) {
        return 0;
    }
    ring_deinit(&loop->ring);
fail_ring:
    inbox_deinit(&loop->orders);
fail_inbox:
    free_memory(loop);
fail_memory:
    condition_deinit(&loop->has_entered);
    mutex_deinit(&loop->mutex);
    return error;
}

void uring_loop_stop(struct uring_loop *loop)
{
    inbox_order(&loop->orders, INBOX_STOP);
    pthread_join(loop->thread, NULL);
    ring_deinit(&loop->ring);
    inbox_deinit(&loop->orders);
    access_log_end(&loop->context, ACCESS_LOG_LOOP_WAIT_MS);
    free_memory(loop);
    condition_deinit(&loop->has_entered);
    mutex_deinit(&loop->mutex);
}

int uring_loop_serve(struct uring_loop *loop, const struct accepted *accepted)
{
    struct uring_connection *c = uring_connection_new(loop, accepted);
    if (c == NULL) {
        return -ENOMEM;
    }
    mutex_lock(&loop->mutex, uring_lock);
    bool first = STAILQ_EMPTY(&loop->arrived);
    STAILQ_INSERT_TAIL(&loop->arrived, c, next);
    mutex_unlock(&loop->mutex, uring_lock);
    if (first) {
        inbox_wake(&loop->orders);
    }
    return 0;
}

void uring_loop_drain(struct uring_loop *loop, bool cutting)
{
    inbox_order(&loop->orders, INBOX_DRAIN);
    if (cutting) {
        inbox_wake(&loop->orders); /* one that is cut off may have to be looked at twice */
    }
}

void uring_loop_report(struct uring_loop *loop, struct report *report)
{
    report_expect(report);
    atomic_store(&loop->report, report);
    inbox_wake(&loop->orders);
}
