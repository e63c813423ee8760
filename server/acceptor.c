/* SPDX-License-Identifier: MIT */
/* Accepting, and not accepting. */
#include "server/acceptor.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "server/mode.h"
#include "server/say.h"
#include "server/slot_pool.h"

enum {
    ACCEPT_BATCH = 64, /* from one listener, before the others have their turn */
    PAUSE_MS = 100,
    COMPLAIN_AGAIN_MS = 60 * 1000,
};

/* At most once a minute. */
static bool acceptor_may_complain(struct acceptor *acceptor)
{
    uint64_t now = clock_ms();
    if (acceptor->complained_ms != 0 && now - acceptor->complained_ms < COMPLAIN_AGAIN_MS) {
        return false;
    }
    acceptor->complained_ms = now;
    return true;
}

static bool acceptor_at_limit(const struct acceptor *acceptor)
{
    const struct server *server = acceptor->server;
    return gate_open(&server->gate) - acceptor->refusals.count >= server->max_connections;
}

static void acceptor_pause(struct acceptor *acceptor, int error)
{
    static const struct timeval pause = {.tv_usec = PAUSE_MS * 1000L};
    if (acceptor_may_complain(acceptor)) {
        say("cannot accept now: %s; waiting", strerror(error));
    }
    acceptor->paused = true;
    event_add(&acceptor->pause_timer, &pause);
}

/* What epoll has no memory for is tried again after a pause. */
static void acceptor_listen(struct acceptor *acceptor, bool listen)
{
    if (listen == acceptor->listening) {
        return;
    }
    acceptor->listening = listen;
    for (size_t i = 0; i < acceptor->listeners->count; i++) {
        if (!listen) {
            event_del(&acceptor->accept_events[i]);
        } else if (event_add(&acceptor->accept_events[i], NULL) != 0) {
            acceptor_pause(acceptor, errno);
            acceptor_listen(acceptor, false);
            return;
        }
    }
}

/* The one place where it is decided whether there is room, and whether to accept. */
static void acceptor_update(struct acceptor *acceptor)
{
    struct server *server = acceptor->server;
    if (acceptor_at_limit(acceptor) || acceptor->exhausted || acceptor->paused) {
        gate_watch(&server->gate);
    }
    bool full = acceptor_at_limit(acceptor) || acceptor->exhausted;
    if (full != shared_full(server->service.shared)) {
        atomic_store(&server->service.shared->full, full);
    }
    bool crowded = full && acceptor->refusals.count >= ACCEPTOR_REFUSALS_MOST;
    acceptor_listen(acceptor, !acceptor->closed && !acceptor->paused && !crowded);
}

static void acceptor_refuse(struct acceptor *acceptor, const struct arrival *arrival)
{
    if (reactor_add(&acceptor->refusals, arrival, true) != 0) {
        close(arrival->fd);
        gate_leave(&acceptor->server->gate);
    }
}

static void acceptor_place(struct acceptor *acceptor, struct arrival *arrival)
{
    struct server *server = acceptor->server;
    bool full = acceptor_at_limit(acceptor);
    arrival->number = ++acceptor->number;
    gate_enter(&server->gate);
    int error = full ? 0 : server->mode->serve(server, arrival);
    acceptor->exhausted = error != 0;
    if (!full && error == 0) {
        return;
    }
    if (acceptor_may_complain(acceptor)) {
        if (full) {
            say("full: %u connections, the most that %s allows; refusing more", server->max_connections,
                server->binding);
        } else if (error == -EBUSY) {
            say("full: %u connections wait, the most that --queue allows; refusing more",
                server->options->queue);
        } else {
            say("full: the system gives nothing for a connection more: %s", strerror(-error));
        }
    }
    acceptor_refuse(acceptor, arrival);
}

/* Accepts `most` connections, fewer if no more wait or there is no room. */
static void acceptor_accept(struct acceptor *acceptor, int fd, unsigned most)
{
    struct arrival arrival;
    for (unsigned i = 0; i < most; i++) {
        switch (arrival_accept(&arrival, fd)) {
        case ACCEPTING_DONE: acceptor_place(acceptor, &arrival); break;
        case ACCEPTING_EMPTY: return;
        case ACCEPTING_GONE: break;
        case ACCEPTING_SCARCE: acceptor_pause(acceptor, errno); return;
        }
        if (acceptor->refusals.count >= ACCEPTOR_REFUSALS_MOST && !acceptor->closed) {
            return;
        }
    }
}

static void acceptor_on_acceptable(evutil_socket_t fd, short events, void *context)
{
    struct acceptor *acceptor = context;
    (void)events;
    if (acceptor->listening) {
        acceptor_accept(acceptor, fd, ACCEPT_BATCH);
        acceptor_update(acceptor);
    }
}

static void acceptor_go_on(struct acceptor *acceptor)
{
    event_del(&acceptor->pause_timer);
    acceptor->paused = false;
    acceptor_update(acceptor);
}

static void acceptor_on_pause_end(evutil_socket_t fd, short events, void *context)
{
    (void)fd;
    (void)events;
    acceptor_go_on(context);
}

static void acceptor_on_bell(evutil_socket_t fd, short events, void *context)
{
    struct acceptor *acceptor = context;
    (void)fd;
    (void)events;
    gate_answer(&acceptor->server->gate);
    acceptor->exhausted = false;
    acceptor_go_on(acceptor);
    drain_check(&acceptor->drain);
}

/* Under a flood of new connections the queue never empties: what was queued at the signal is at most the backlog. */
void acceptor_close(struct acceptor *acceptor)
{
    acceptor_listen(acceptor, false);
    acceptor->closed = true;
    listeners_unlink(acceptor->listeners);
    for (size_t i = 0; i < acceptor->listeners->count; i++) {
        acceptor_accept(acceptor, acceptor->listeners->items[i].fd, acceptor->server->options->backlog + 1);
    }
    listeners_close(acceptor->listeners);
    reactor_drain(&acceptor->refusals);
}

void acceptor_report(struct acceptor *acceptor)
{
    struct server *server = acceptor->server;
    if (report_begin(&acceptor->report, server->service.shared)) {
        server->mode->report(server, &acceptor->report);
        report_reactor(&acceptor->report, &acceptor->refusals);
        report_end(&acceptor->report);
    }
}

void acceptor_unlink(struct acceptor *acceptor)
{
    listeners_unlink(acceptor->listeners);
    listeners_unlink(acceptor->admin.listeners);
}

void acceptor_finish(struct acceptor *acceptor, int status)
{
    acceptor->status = status;
    event_base_loopbreak(acceptor->base);
}

int acceptor_run(struct acceptor *acceptor)
{
    acceptor_update(acceptor);
    reactor_base_run(acceptor->base);
    return acceptor->status;
}

static int acceptor_assign_events(struct acceptor *acceptor)
{
    struct listeners *listeners = acceptor->listeners;
    for (size_t i = 0; i < listeners->count; i++) {
        event_assign(&acceptor->accept_events[i], acceptor->base, listeners->items[i].fd,
                     EV_READ | EV_PERSIST, acceptor_on_acceptable, acceptor);
    }
    event_assign(&acceptor->pause_timer, acceptor->base, -1, 0, acceptor_on_pause_end, acceptor);
    event_assign(&acceptor->bell_event, acceptor->base, acceptor->server->gate.bell, EV_READ | EV_PERSIST,
                 acceptor_on_bell, acceptor);
    return event_add(&acceptor->bell_event, NULL) == 0 ? 0 : -ENOMEM;
}

int acceptor_init(struct acceptor *acceptor, struct server *server, struct listeners *listeners,
                  struct listeners *admin)
{
    struct timeouts timeouts = timeouts_of(server->options, ACCEPTOR_REFUSAL_MS);
    struct slot *slot = slot_lend(server->service.shared, SERVER_ACCEPTOR_SLOT);
    *acceptor = (struct acceptor){.server = server, .listeners = listeners, .base = reactor_base_new()};
    if (acceptor->base == NULL) {
        return -ENOMEM;
    }
    server->base = acceptor->base;
    int error = reactor_init(&acceptor->refusals, server, acceptor->base, slot, &timeouts);
    if (error != 0) {
        goto fail_base;
    }
    error = date_timer_init(&acceptor->date, acceptor->base, server->service.shared);
    if (error != 0) {
        goto fail_reactor;
    }
    error = drain_init(&acceptor->drain, acceptor);
    if (error != 0) {
        goto fail_date;
    }
    error = admin_init(&acceptor->admin, server, admin, slot, &acceptor->number);
    if (error != 0) {
        goto fail_drain;
    }
    error = acceptor_assign_events(acceptor);
    if (error == 0) {
        return 0;
    }
    admin_deinit(&acceptor->admin);
fail_drain:
    drain_deinit(&acceptor->drain);
fail_date:
    date_timer_deinit(&acceptor->date);
fail_reactor:
    reactor_deinit(&acceptor->refusals);
fail_base:
    event_base_free(acceptor->base);
    return error;
}

void acceptor_deinit(struct acceptor *acceptor)
{
    acceptor_listen(acceptor, false);
    event_del(&acceptor->bell_event);
    event_del(&acceptor->pause_timer);
    admin_deinit(&acceptor->admin);
    drain_deinit(&acceptor->drain);
    date_timer_deinit(&acceptor->date);
    reactor_deinit(&acceptor->refusals);
    event_base_free(acceptor->base);
}
