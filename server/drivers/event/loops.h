/* SPDX-License-Identifier: MIT */
/* Event loops, each with a thread and a reactor, for the modes event and hybrid. */
#ifndef ECHOD_SERVER_DRIVERS_EVENT_LOOPS_H
#define ECHOD_SERVER_DRIVERS_EVENT_LOOPS_H

#include "server/net/accepted.h"
#include "server/drivers/event/reactor.h"
#include "server/drivers/shared/report.h"
#include "server/drivers/shared/server.h"

/* Descriptors of a loop, without the eventfd by which work returns from workers. */
enum { LOOPS_DESCRIPTORS = REACTOR_DESCRIPTORS + 1 };

/* Functions for struct mode, which describes them. Main thread.
 *
 * loops_start starts server->loops loops with the counters from SERVER_MODE_COUNTERS on, and keeps them in
 * server->mode_state. `workers` run the handlers' work; if NULL, the loops run it. The loops own the workers from the
 * call on, and stop them last. Returns 0 or a negative errno; after an error there is nothing to undo. */
int loops_start(struct server *server, struct workers *workers);
int loops_serve(struct server *server, const struct accepted *accepted);
void loops_drain(struct server *server);
void loops_report(struct server *server, struct report *report);
void loops_stop(struct server *server);
/* The number of counters that the loops take. */
size_t loops_counters(const struct server *server);

#endif
