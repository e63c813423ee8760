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

/* They run on server->base, with the counters of that index. Returns 0 or a negative errno; after an error there is nothing to
 * undo. Main thread, as the others but one. */
int lingerers_init(struct lingerers *lingerers, struct server *server, size_t counters);
/* Closes the connections that are left. */
void lingerers_deinit(struct lingerers *lingerers);

/* Passes on a connection whose session is over: after a lingering close it is no longer counted. Returns 0, or -ENOMEM, after which
 * the caller still owns it. Any thread. */
int lingerers_put(struct lingerers *lingerers, const struct accepted *accepted);

/* As the functions of the reactor. */
void lingerers_drain(struct lingerers *lingerers);
void lingerers_report(const struct lingerers *lingerers, struct report *report);

#endif
