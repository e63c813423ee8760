/* SPDX-License-Identifier: MIT */
/* Whether the system is short of a resource that a connection needs: descriptors, threads, processes or memory.
 * During a shortage /readyz says 503; the acceptor reports it on stderr and tries again each second. */
#ifndef ECHOD_SERVER_DRIVERS_SHARED_SHORTAGE_H
#define ECHOD_SERVER_DRIVERS_SHARED_SHORTAGE_H

#include "server/drivers/shared/server.h"

/* Call when an attempt to serve a connection has failed with `error`, an errno. Wakes the acceptor. Any thread. */
static inline void shortage_begin(struct server *server, int error)
{
    atomic_store(&server->service.scoreboard->shortage, error);
    connection_count_notify(&server->connections);
}

/* Call when an attempt has succeeded or a resource was released. Any thread. */
static inline void shortage_over(struct server *server)
{
    if (scoreboard_shortage(server->service.scoreboard) != 0) {
        atomic_store(&server->service.scoreboard->shortage, 0);
    }
}

#endif
