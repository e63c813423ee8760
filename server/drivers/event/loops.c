/* SPDX-License-Identifier: MIT */
/* Threads that each run a reactor, and how connections reach them. */
#include "server/drivers/event/loops.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "server/drivers/shared/inbox.h"
#include "server/drivers/event/reactor.h"
#include "server/drivers/shared/shortage.h"
#include "server/drivers/shared/counters_pool.h"

struct loop {
    pthread_t thread;
    uint64_t number; /* for the trace */
    struct event_base *base;
    struct reactor reactor;
    const struct loops_driver *driver; /* NULL: the reactor serves the connections */
    void *state;                       /* of the driver */
    struct inbox inbox;
    struct event inbox_event;
    struct report *_Atomic report; /* to count its connections for; NULL: none */
};

struct loops {
    unsigned next; /* who gets the next connection */
    unsigned count;
    struct workers *workers; /* NULL: the loops run the work */
    struct loop items[];
};

static bool loop_add(struct loop *loop, const struct accepted *accepted)
{
    return loop->driver == NULL ? reactor_add(&loop->reactor, accepted, REFUSAL_NOT)
                                : loop->driver->add(loop->state, accepted);
}

static void loop_report(const struct loop *loop, struct report *report)
{
    reactor_report(&loop->reactor, report);
    if (loop->driver != NULL) {
        loop->driver->report(loop->state, report);
    }
}

static void loop_drain(struct loop *loop)
{
    if (loop->driver != NULL) {
        loop->driver->drain(loop->state);
    }
    reactor_drain(&loop->reactor);
}

static void loop_on_inbox(evutil_socket_t fd, short events, void *arg)
{
    struct loop *loop = arg;
    (void)fd;
    (void)events;
    enum inbox_order order = inbox_take(&loop->inbox);
    for (size_t i = 0; i < loop->inbox.taken.count; i++) {
        if (loop_add(loop, &loop->inbox.taken.items[i])) {
            shortage_over(loop->reactor.server);
        }
    }
    struct report *report = atomic_exchange(&loop->report, NULL);
    if (report != NULL) {
        loop_report(loop, report);
        report_end(report);
    }
    switch (order) {
    case INBOX_SERVE: break;
    case INBOX_DRAIN: loop_drain(loop); break;
    case INBOX_STOP: event_base_loopbreak(loop->base); break;
    }
}

static void *loop_main(void *arg)
{
    struct loop *loop = arg;
    trace_thread_begin(TRACE_LOOP, loop->number);
    if (loop->driver != NULL) {
        loop->driver->thread_begin();
    }
    reactor_base_run(loop->base);
    if (loop->driver != NULL) {
        loop->driver->thread_end();
    }
    trace_thread_end();
    return NULL;
}

/* After reactor_init: returns 0 or a negative errno. */
static int loop_start_driver(struct loop *loop, struct server *server, const struct loops_driver *driver)
{
    if (driver == NULL) {
        return 0;
    }
    loop->state = malloc(driver->size);
    if (loop->state == NULL) {
        return -ENOMEM;
    }
    int error = driver->init(loop->state, server, &loop->reactor);
    if (error != 0) {
        free(loop->state);
        return error;
    }
    loop->driver = driver;
    return 0;
}

static void loop_stop_driver(struct loop *loop)
{
    if (loop->driver != NULL) {
        loop->driver->deinit(loop->state);
        free(loop->state);
    }
}

static int loop_init(struct loop *loop, struct server *server, size_t index, struct workers *workers,
                     const struct loops_driver *driver)
{
    loop->number = index - SERVER_MODE_COUNTERS;
    loop->base = reactor_base_new();
    if (loop->base == NULL) {
        return -ENOMEM;
    }
    int error = reactor_init(&loop->reactor, server, loop->base,
                             counters_claim(server->service.scoreboard, index), &server->timeouts);
    if (error != 0) {
        goto fail_reactor;
    }
    error = workers == NULL ? 0 : reactor_employ(&loop->reactor, workers);
    if (error != 0) {
        goto fail_driver;
    }
    error = loop_start_driver(loop, server, driver);
    if (error != 0) {
        goto fail_driver;
    }
    error = inbox_init(&loop->inbox);
    if (error != 0) {
        goto fail_inbox;
    }
    event_assign(&loop->inbox_event, loop->base, loop->inbox.wakeup.fd, EV_READ | EV_PERSIST, loop_on_inbox,
                 loop);
    error = event_add(&loop->inbox_event, NULL) != 0 ? -ENOMEM
                                                     : -pthread_create(&loop->thread, NULL, loop_main, loop);
    if (error == 0) {
        return 0;
    }
    inbox_deinit(&loop->inbox);
fail_inbox:
    loop_stop_driver(loop);
fail_driver:
    reactor_deinit(&loop->reactor);
fail_reactor:
    event_base_free(loop->base);
    return error;
}

static void loop_deinit(struct loop *loop)
{
    inbox_order(&loop->inbox, INBOX_STOP);
    pthread_join(loop->thread, NULL);
    event_del(&loop->inbox_event);
    inbox_deinit(&loop->inbox);
    loop_stop_driver(loop);
    reactor_deinit(&loop->reactor);
    event_base_free(loop->base);
}

static void loops_free(struct loops *loops)
{
    for (unsigned i = 0; i < loops->count; i++) {
        loop_deinit(&loops->items[i]);
    }
    workers_stop(loops->workers); /* last: the loops have had all work back */
    free(loops);
}

int loops_start(struct server *server, struct workers *workers, const struct loops_driver *driver)
{
    struct loops *loops = calloc(1, sizeof(*loops) + server->loops * sizeof(loops->items[0]));
    if (loops == NULL) {
        workers_stop(workers);
        return -ENOMEM;
    }
    loops->workers = workers;
    while (loops->count < server->loops) {
        int error = loop_init(&loops->items[loops->count], server, SERVER_MODE_COUNTERS + loops->count,
                              workers, driver);
        if (error != 0) {
            loops_free(loops);
            return error;
        }
        loops->count++;
    }
    server->mode_state = loops;
    return 0;
}

int loops_serve(struct server *server, const struct accepted *accepted)
{
    struct loops *loops = server->mode_state;
    struct loop *loop = &loops->items[loops->next];
    loops->next = (loops->next + 1) % loops->count;
    int error = loop->driver == NULL ? 0 : loop->driver->reserve(loop->state);
    if (error != 0) {
        return error;
    }
    error = inbox_put(&loop->inbox, accepted);
    if (error != 0 && loop->driver != NULL) {
        loop->driver->cancel(loop->state);
    }
    return error;
}

void loops_drain(struct server *server)
{
    struct loops *loops = server->mode_state;
    for (unsigned i = 0; i < loops->count; i++) {
        struct inbox *inbox = &loops->items[i].inbox;
        inbox_order(inbox, INBOX_DRAIN);
        if (scoreboard_cutting(server->service.scoreboard)) {
            inbox_wake(inbox); /* one that is cut off may have to be looked at twice */
        }
    }
}

void loops_report(struct server *server, struct report *report)
{
    struct loops *loops = server->mode_state;
    for (unsigned i = 0; i < loops->count; i++) {
        report_expect(report);
        atomic_store(&loops->items[i].report, report);
        inbox_wake(&loops->items[i].inbox);
    }
    report_workers(report, "loop", SERVER_MODE_COUNTERS, loops->count);
}

void loops_stop(struct server *server)
{
    loops_free(server->mode_state);
}

size_t loops_counters(const struct server *server)
{
    return server->loops;
}
