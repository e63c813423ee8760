/* SPDX-License-Identifier: MIT */
/* A second, small acceptor, with its own reactor and its own connection count. */
#include "server/acceptor/admin.h"

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

#include "common/base/trace.h"
#include "common/handlers/routes.h"

enum {
    PAUSE_MS = 100,
    GIVE_WAY_MS = 1000, /* for so long a connection is idle before it ends for another one */
};

static const struct timeval pause_time = {.tv_usec = PAUSE_MS * 1000L};

static void admin_listen(struct admin *admin, bool listen)
{
    if (listen == admin->listening) {
        return;
    }
    admin->listening = listen;
    for (size_t i = 0; i < admin->listeners->count; i++) {
        if (listen) {
            event_add(&admin->accept_events[i], NULL);
        } else {
            event_del(&admin->accept_events[i]);
        }
    }
}

static void admin_place(struct admin *admin, struct accepted *accepted)
{
    accepted->number = ++*admin->number;
    TRACE(accept, accepted->number, UINT64_C(0));
    connection_count_add(&admin->connections);
    reactor_add(&admin->reactor, accepted, REFUSAL_NOT);
}

static void admin_on_acceptable(evutil_socket_t fd, short events, void *arg)
{
    struct admin *admin = arg;
    struct accepted accepted;
    (void)events;
    while (admin->listening) {
        switch (accept_connection(&accepted, fd)) {
        case ACCEPT_DONE: admin_place(admin, &accepted); break;
        case ACCEPT_EMPTY: return;
        case ACCEPT_ABORTED: break;
        case ACCEPT_NO_RESOURCES:
            admin_listen(admin, false);
            event_add(&admin->pause_timer, &pause_time);
            return;
        }
        if (connection_count_value(&admin->connections) >= ADMIN_CONNECTIONS_MAX) {
            connection_count_watch(&admin->connections);
            admin_listen(admin, connection_count_value(&admin->connections) < ADMIN_CONNECTIONS_MAX);
            event_add(&admin->full_timer, &pause_time);
        }
    }
}

static void admin_on_room(evutil_socket_t fd, short events, void *arg)
{
    struct admin *admin = arg;
    (void)fd;
    (void)events;
    connection_count_acknowledge(&admin->connections);
    admin_listen(admin, true);
}

static bool admin_place_wanted(const struct reactor *reactor)
{
    const struct admin *admin =
        (const struct admin *)((const char *)reactor - offsetof(struct admin, reactor));
    bool waits = false;
    for (size_t i = 0; i < admin->listeners->count; i++) {
        waits |= listener_has_queue(admin->listeners->items[i].fd);
    }
    return waits && connection_count_value(&admin->connections) >= ADMIN_CONNECTIONS_MAX;
}

/* Clients that are silent do not keep a probe out: if one waits, the connection ends that has been idle for longest. */
static void admin_on_full(evutil_socket_t fd, short events, void *arg)
{
    struct admin *admin = arg;
    (void)fd;
    (void)events;
    if (admin->listening) {
        return;
    }
    if (admin_place_wanted(&admin->reactor)) {
        reactor_end_idle(&admin->reactor, GIVE_WAY_MS);
    }
    event_add(&admin->full_timer, &pause_time);
}

int admin_init(struct admin *admin, struct server *server, struct listeners *listeners,
               struct counters *counters, uint64_t *number)
{
    *admin = (struct admin){.listeners = listeners, .service = server->service, .number = number};
    if (listeners->count == 0) {
        return 0;
    }
    int error = connection_count_init(&admin->connections, &admin->open, &admin->lingering);
    if (error != 0) {
        return error;
    }
    error = reactor_init(&admin->reactor, server, server->base, counters, &server->timeouts);
    if (error != 0) {
        connection_count_deinit(&admin->connections);
        return error;
    }
    admin->service.routes = routes_admin;
    admin->reactor.core.context.service = &admin->service;
    if (!server->options->log_admin) {
        access_log_withdraw(&admin->reactor.core.context);
    }
    admin->reactor.core.connections = &admin->connections;
    admin->reactor.place_wanted = admin_place_wanted;
    for (size_t i = 0; i < listeners->count; i++) {
        event_assign(&admin->accept_events[i], server->base, listeners->items[i].fd, EV_READ | EV_PERSIST,
                     admin_on_acceptable, admin);
    }
    event_assign(&admin->pause_timer, server->base, -1, 0, admin_on_room, admin);
    event_assign(&admin->full_timer, server->base, -1, 0, admin_on_full, admin);
    event_assign(&admin->wakeup_event, server->base, admin->connections.wakeup.fd, EV_READ | EV_PERSIST,
                 admin_on_room, admin);
    event_add(&admin->wakeup_event, NULL);
    admin_listen(admin, true);
    return 0;
}

void admin_deinit(struct admin *admin)
{
    if (admin->listeners->count == 0) {
        return;
    }
    admin_listen(admin, false);
    event_del(&admin->wakeup_event);
    event_del(&admin->pause_timer);
    event_del(&admin->full_timer);
    reactor_deinit(&admin->reactor);
    connection_count_deinit(&admin->connections);
}
