/* SPDX-License-Identifier: MIT */
/* What is done with all fibers of a loop. */
#include "server/drivers/fiber/fibers.h"

#include <errno.h>

#include "common/base/clock.h"
#include "server/drivers/fiber/fiber_connection.h"
#include "server/drivers/shared/shortage.h"

static void fibers_on_work_done(void *owner)
{
    fiber_connection_wake(owner, WOKEN_DONE);
}

/* Those that have not run since the tick before give their pages back; those that have run meanwhile wait for the next
 * tick. */
static void fibers_on_tick(evutil_socket_t fd, short events, void *arg)
{
    struct fibers *fibers = arg;
    struct fiber_connection *c = TAILQ_FIRST(&fibers->touched);
    (void)fd;
    (void)events;
    while (c != NULL) {
        struct fiber_connection *next = TAILQ_NEXT(c, others_touched);
        if (c->seen) {
            fiber_connection_give_back(c);
            c->touched = false;
            TAILQ_REMOVE(&fibers->touched, c, others_touched);
        }
        c->seen = true;
        c = next;
    }
    if (TAILQ_EMPTY(&fibers->touched)) {
        event_del(&fibers->tick);
    }
}

void fibers_init(struct fibers *fibers, struct server *server, struct reactor *reactor, size_t stack_size)
{
    *fibers = (struct fibers){.server = server, .reactor = reactor};
    stacks_init(&fibers->stacks, stack_size);
    TAILQ_INIT(&fibers->all);
    TAILQ_INIT(&fibers->touched);
    event_assign(&fibers->tick, reactor->core.base, -1, EV_PERSIST, fibers_on_tick, fibers);
    reactor->work_done = fibers_on_work_done;
}

void fibers_deinit(struct fibers *fibers)
{
    while (!TAILQ_EMPTY(&fibers->all)) {
        fiber_connection_free(TAILQ_FIRST(&fibers->all));
    }
    event_del(&fibers->tick);
    stacks_deinit(&fibers->stacks);
}

bool fibers_add(struct fibers *fibers, const struct accepted *accepted)
{
    struct reactor *reactor = fibers->reactor;
    if (fiber_connection_new(fibers, accepted)) {
        counters_add(&reactor->core.context.counters->connections, 1);
        sweeper_start(&reactor->sweeper);
        return true;
    }
    int error = errno;
    reactor_add(reactor, accepted, REFUSAL_SYSTEM);
    shortage_begin(fibers->server, error);
    return false;
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
