/* SPDX-License-Identifier: MIT */
/* A connection whose bytes come and go by completions of a ring. */
#ifndef ECHOD_SERVER_DRIVERS_URING_URING_CONNECTION_H
#define ECHOD_SERVER_DRIVERS_URING_URING_CONNECTION_H

#include "server/drivers/shared/report.h"
#include "server/drivers/uring/uring_core.h"
#include "server/net/accepted.h"

/* Makes a connection, for which uring_connection_begin must be called. Returns NULL if there is no memory. Any thread. */
struct uring_connection *uring_connection_new(struct uring_loop *loop, const struct accepted *accepted);

/* The loop's thread calls all other functions. Each may end and free the connection. */

/* Takes the connection into the loop, and waits for its first bytes. */
void uring_connection_begin(struct uring_connection *connection);
/* Passes the bytes that were gathered from completions to their connection. Called before the completion of anything else is
 * handled, and after the last completion. */
void uring_connection_pass_gathered(struct uring_loop *loop);
/* An operation has completed. */
void uring_connection_complete(struct uring_connection *connection, const struct ring_completion *completion);
/* Handles a connection that was taken from the loop's queue, or with `may_work` from its works: only then the connection
 * runs work, which may take long. */
void uring_connection_look(struct uring_connection *connection, bool may_work);
/* Called by a sweep when the connection's time in its list is over: its timer has expired. While a handler waits or works
 * no timer runs; then the call checks whether the client has reset the connection. */
void uring_connection_due(struct uring_connection *connection);
/* Called for each connection of the loop when the drain has begun, and with `cutting` when it cuts connections off. */
void uring_connection_drain(struct uring_connection *connection, bool cutting);
/* Returns what the connection is doing. */
enum activity uring_connection_activity(const struct uring_connection *connection);

#endif
