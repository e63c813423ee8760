/* SPDX-License-Identifier: MIT */
/* One connection of a reactor: what an event, a sweep or the drain means for it. */
#ifndef ECHOD_SERVER_DRIVERS_EVENT_CONNECTION_H
#define ECHOD_SERVER_DRIVERS_EVENT_CONNECTION_H

#include "server/drivers/event/reactor.h"

/* All functions: the reactor's thread. After each the connection may be gone. */

/* Starts serving, waiting for its first bytes. NULL if there is no memory. */
struct connection *connection_new(struct reactor *reactor, const struct accepted *accepted,
                                  enum refusal refusing);
/* Its session is over: a lingering close. */
void connection_linger(struct connection *connection);
/* Closes it, whatever its state, and stops counting it. */
void connection_free(struct connection *connection);

/* A sweep has found it due: its timer has run out; or, while it waits or works, it is time to look after its client. */
void connection_due(struct connection *connection);

/* The work that a worker had is done. */
void connection_work_done(struct connection *connection);

/* Whatever a refused connection has sent by now, it is told that it is not served. */
void connection_tell(struct connection *connection);

/* The server drains: an idle connection is read once more, and ends if nothing came. */
void connection_drain(struct connection *connection);
/* The drain timeout is over. An idle connection is treated as connection_drain does, a refused one that has not asked
 * is told, one that lingers is left alone, any other is cut off. Called again until it is gone. */
void connection_cut_off(struct connection *connection);

#endif
