/* SPDX-License-Identifier: MIT */
/* What is known of the system: whether it gave what the last connection needed, or was out of descriptors, threads,
 * processes or memory. /readyz says so; the acceptor says it on stderr, and tries anew each second. */
#ifndef ECHOD_SERVER_DRIVERS_SHARED_SHORTAGE_H
#define ECHOD_SERVER_DRIVERS_SHARED_SHORTAGE_H

#include "server/drivers/shared/server.h"

/* An attempt has failed with `error`, an errno. Any thread. */
static inline void shortage_begin(struct server *server, int error)
{
    atomic_store(&server->service.scoreboard->shortage, error);
    connection_count_notify(&server->connections);
}

/* One has succeeded, or something was given back. Any thread. */
static inline void shortage_over(struct server *server)
{
    if (scoreboard_shortage(server->service.scoreboard) != 0) {
        atomic_store(&server->service.scoreboard->shortage, 0);
    }
}

#endif
