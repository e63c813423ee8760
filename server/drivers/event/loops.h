/* SPDX-License-Identifier: MIT */
/* The event loops of the modes that have some: a thread and a reactor each. */
#ifndef ECHOD_SERVER_DRIVERS_EVENT_LOOPS_H
#define ECHOD_SERVER_DRIVERS_EVENT_LOOPS_H

#include "server/net/accepted.h"
#include "server/drivers/event/reactor.h"
#include "server/drivers/shared/report.h"
#include "server/drivers/shared/server.h"

/* Starts server->loops of them, with the counters from SERVER_MODE_COUNTERS on, and keeps them in server->mode_state.
 * Work is done by `workers`, which outlive them, or in the loops themselves if that is NULL. 0 or a negative errno; then
 * there is nothing to undo. These functions are a mode's, see struct mode; main thread. */
int loops_start(struct server *server, struct workers *workers);
int loops_serve(struct server *server, const struct accepted *accepted);
void loops_drain(struct server *server);
void loops_report(struct server *server, struct report *report);
void loops_stop(struct server *server);
/* Descriptors, and sets of counters, that they take. */
unsigned loops_descriptors(const struct server *server);
size_t loops_counters(const struct server *server);

#endif
