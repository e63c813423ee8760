/* SPDX-License-Identifier: MIT */
/* --admin-listen: /metrics, /healthz and /readyz on separate sockets. The main thread serves them in all modes, also
 * while the server is full, and until the drain ends. */
#ifndef ECHOD_SERVER_ACCEPTOR_ADMIN_H
#define ECHOD_SERVER_ACCEPTOR_ADMIN_H

#include "server/net/listeners.h"
#include "server/drivers/event/reactor.h"

/* The most connections at once; others wait in the kernel's queue until one has ended. One that has been idle for a
 * second ends for them. */
enum { ADMIN_CONNECTIONS_MAX = 64 };
/* The most descriptors, without the listeners. */
enum { ADMIN_DESCRIPTORS = REACTOR_DESCRIPTORS + 1 + ADMIN_CONNECTIONS_MAX };

struct admin {
    struct listeners *listeners; /* if it is empty, nothing else is used */
    struct service service;      /* the server's, with routes_admin */
    struct reactor reactor;
    /* Its connections alone: neither --max-connections nor the drain counts them. */
    struct connection_count connections;
    _Atomic uint64_t open;
    _Atomic uint64_t lingering;
    uint64_t *number; /* of the last connection, shared with the acceptor */
    bool listening;
    struct event wakeup_event; /* of `connections`: one was closed */
    struct event pause_timer;  /* runs after a lack of descriptors or memory */
    struct event full_timer;   /* runs while there are as many connections as there may be */
    struct event accept_events[LISTENERS_MAX];
};

/* The main thread calls all functions. */

/* Serves `listeners` on server->base from now on, counting in `counters`; does nothing if there are none. `*number`
 * is the number of the server's last connection. The arguments must outlive it. Returns 0 or a negative errno; after
 * an error there is nothing to undo. */
int admin_init(struct admin *admin, struct server *server, struct listeners *listeners,
               struct counters *counters, uint64_t *number);
/* Closes the connections that are still open; the listeners stay open. */
void admin_deinit(struct admin *admin);

#endif
