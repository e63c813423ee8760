/* SPDX-License-Identifier: MIT */
/* Lingering closes in the main thread, for modes whose own threads have other things to do. */
#ifndef ECHOD_SERVER_DRIVERS_EVENT_LINGERERS_H
#define ECHOD_SERVER_DRIVERS_EVENT_LINGERERS_H

#include "server/drivers/event/reactor.h"
#include "server/drivers/shared/inbox.h"
#include "server/net/accepted.h"

struct lingerers {
    struct reactor reactor;
    struct inbox inbox;
    struct event inbox_event;
};

/* The descriptors that they open. */
enum { LINGERERS_DESCRIPTORS = REACTOR_DESCRIPTORS + 1 };

/* The main thread calls all functions except lingerers_put. */

/* Prepares the lingering closes, which run on server->base and count in the counters with the index `counters`. Returns 0 or
 * a negative errno; after an error there is nothing to undo. */
int lingerers_init(struct lingerers *lingerers, struct server *server, size_t counters);
/* Closes the connections that are left. */
void lingerers_deinit(struct lingerers *lingerers);

/* Passes on a connection whose session is over. After its lingering close the connection is no longer counted. Returns 0, or
 * -ENOMEM, after which the caller still owns the connection. Any thread. */
int lingerers_put(struct lingerers *lingerers, const struct accepted *accepted);

/* As the functions of the reactor. */
void lingerers_drain(struct lingerers *lingerers);
void lingerers_report(const struct lingerers *lingerers, struct report *report);

#endif
