/* SPDX-License-Identifier: MIT */
/* --admin-listen: /metrics, /healthz and /readyz on sockets of their own, served by the main thread in every mode, also when
 * there is no room for another connection and until the drain ends. */
#ifndef ECHOD_SERVER_ACCEPTOR_ADMIN_H
#define ECHOD_SERVER_ACCEPTOR_ADMIN_H

#include "server/net/listeners.h"
#include "server/drivers/event/reactor.h"

/* Connections at once; further ones wait in the backlog. */
enum { ADMIN_CONNECTIONS_MAX = 64 };
/* Descriptors that it holds beside its listeners. */
enum { ADMIN_DESCRIPTORS = REACTOR_DESCRIPTORS + 1 + ADMIN_CONNECTIONS_MAX };

struct admin {
    struct listeners *listeners; /* none: there is nothing here */
    struct service service;      /* the server's, with other paths */
    struct reactor reactor;
    struct connection_count
        connections; /* its connections alone: neither a limit nor the drain counts them */
    _Atomic uint64_t open;
    _Atomic uint64_t lingering;
    uint64_t *number; /* of the last connection, the server's */
    bool listening;
    struct event wakeup_event; /* one has left */
    struct event pause_timer;  /* for want of descriptors or memory */
    struct event accept_events[LISTENERS_MAX];
};

/* Serves the listeners, which outlive it, on the server's base, counting in `counters`. 0 or a negative errno; then
 * there is nothing to undo. Main thread, as all functions here. */
int admin_init(struct admin *admin, struct server *server, struct listeners *listeners,
               struct counters *counters, uint64_t *number);
/* Closes its connections. */
void admin_deinit(struct admin *admin);

#endif
