/* SPDX-License-Identifier: MIT */
/* One connection of a reactor: its reactions to events, sweeps and the drain. */
#ifndef ECHOD_SERVER_DRIVERS_EVENT_CONNECTION_H
#define ECHOD_SERVER_DRIVERS_EVENT_CONNECTION_H

#include "server/drivers/event/reactor.h"

/* The reactor's thread calls all functions. Each may close and free the connection. */

/* Allocates a connection in the reactor and waits for its first bytes. The connection owns the descriptor and frees
 * itself when it closes. Returns NULL if there is no memory; then the caller keeps the descriptor. */
struct connection *connection_new(struct reactor *reactor, const struct accepted *accepted,
                                  enum refusal refusing);
/* Begins a lingering close (RFC 9112, 9.6), after the session is over. */
void connection_linger(struct connection *connection);
/* Closes the connection in any state, frees it, and stops counting it. While a worker has its work, it is freed when
 * the work returns. */
void connection_free(struct connection *connection);

/* Called by a sweep: the session's timer has expired; or, while a handler waits or works, it is time to check for a
 * reset. */
void connection_due(struct connection *connection);

/* Called when a worker has finished the connection's work. */
void connection_work_done(struct connection *connection);

/* Sends a refused connection its 503 even if its request is incomplete or has not begun. */
void connection_tell(struct connection *connection);

/* During a drain: reads an idle connection once more, and closes it if nothing has arrived. Does nothing to other
 * connections. */
void connection_drain(struct connection *connection);
/* After the drain timeout: treats an idle connection as connection_drain does, sends a refused one without a request
 * its 503, leaves a lingering one alone, and cuts any other off. Called again until the connection is gone. */
void connection_cut_off(struct connection *connection);

#endif
