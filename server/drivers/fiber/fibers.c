/* SPDX-License-Identifier: MIT */
/* What is done with all fibers of a loop. */
#include "server/drivers/fiber/fibers.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "server/drivers/fiber/fiber_connection.h"

static void fibers_on_work_done(void *owner)
{
    fiber_connection_wake(owner, WOKEN_DONE);
}

/* ---- time ---- */

/* Those that have not run since the tick before become quiet: so many at a time, because each may cost a system call. */
static void fibers_look(struct fibers *fibers, uint64_t now)
{
    enum { QUIETEN_MAX = 1000 };
    unsigned quietened = 0;
    struct fiber_connection *c = TAILQ_FIRST(&fibers->lively);
    while (c != NULL) {
        struct fiber_connection *next = TAILQ_NEXT(c, others_lively);
        if (!c->seen) {
            fiber_connection_see(c, now);
        } else if (quietened < QUIETEN_MAX) {
            fiber_connection_quieten(c, now);
            quietened++;
        }
        if (c->idle && c->deadline_us <= now) {
            fiber_connection_wake(c, WOKEN_TIMEOUT);
        }
        c = next;
    }
}

static void fibers_judge(struct fibers *fibers, uint64_t now)
{
    struct fiber_connection *c;
    while ((c = TAILQ_FIRST(&fibers->idle)) != NULL && c->deadline_us <= now) {
        fiber_connection_wake(c, WOKEN_TIMEOUT);
    }
}

static void fibers_on_timer(evutil_socket_t fd, short events, void *arg)
{
    struct fibers *fibers = arg;
    uint64_t expirations;
    (void)events;
    if (read(fd, &expirations, sizeof(expirations)) < 0) {
        return;
    }
    uint64_t now = clock_us();
    fibers_look(fibers, now);
    fibers_judge(fibers, now);
    if (!TAILQ_EMPTY(&fibers->lively)) {
        return;
    }
    const struct fiber_connection *first = TAILQ_FIRST(&fibers->idle);
    uint64_t deadline = first == NULL ? UINT64_MAX : first->deadline_us;
    fibers->ticking = false;
    fibers_set_timer(fibers, deadline == UINT64_MAX ? 0 : (deadline - now + 999) / 1000, 0);
}

/* ---- the fibers ---- */

int fibers_init(struct fibers *fibers, struct server *server, struct reactor *reactor, size_t stack_size)
{
    *fibers = (struct fibers){.server = server,
                              .reactor = reactor,
                              .timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)};
    if (fibers->timer < 0) {
        return -errno;
    }
    stacks_init(&fibers->stacks, stack_size, server->loops);
    TAILQ_INIT(&fibers->all);
    TAILQ_INIT(&fibers->lively);
    TAILQ_INIT(&fibers->idle);
    event_assign(&fibers->timer_event, reactor->core.base, fibers->timer, EV_READ | EV_PERSIST,
                 fibers_on_timer, fibers);
    if (event_add(&fibers->timer_event, NULL) != 0) {
        close(fibers->timer);
        return -ENOMEM;
    }
    reactor->work_done = fibers_on_work_done;
    return 0;
}

void fibers_deinit(struct fibers *fibers)
{
    while (!TAILQ_EMPTY(&fibers->all)) {
        fiber_connection_free(TAILQ_FIRST(&fibers->all));
    }
    event_del(&fibers->timer_event);
    close(fibers->timer);
    stacks_deinit(&fibers->stacks);
}

int fibers_reserve(struct fibers *fibers)
{
    return stacks_reserve(&fibers->stacks);
}

void fibers_cancel(struct fibers *fibers)
{
    stacks_cancel(&fibers->stacks);
}

bool fibers_add(struct fibers *fibers, const struct accepted *accepted)
{
    struct reactor *reactor = fibers->reactor;
    counters_add(&reactor->core.context.counters->connections, 1);
    if (!fiber_connection_new(fibers, accepted)) {
        reactor_refuse(reactor, accepted, REFUSAL_SYSTEM, errno);
        return false;
    }
    sweeper_start(&reactor->sweeper);
    return true;
}

void fibers_drain(struct fibers *fibers)
{
    bool cutting = scoreboard_cutting(fibers->server->service.scoreboard);
    struct fiber_connection *c = TAILQ_FIRST(&fibers->all);
    fibers->reactor->core.draining = true;
    while (c != NULL) {
        struct fiber_connection *next = TAILQ_NEXT(c, others);
        fiber_connection_drain(c, cutting);
        c = next;
    }
}

void fibers_report(const struct fibers *fibers, struct report *report)
{
    const struct fiber_connection *c;
    TAILQ_FOREACH(c, &fibers->all, others)
    {
        report_add(report, (enum activity)c->activity, 1);
    }
}
