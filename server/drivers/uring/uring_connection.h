/* SPDX-License-Identifier: MIT */
/* A connection whose bytes come and go by completions of a ring. */
#ifndef ECHOD_SERVER_DRIVERS_URING_URING_CONNECTION_H
#define ECHOD_SERVER_DRIVERS_URING_URING_CONNECTION_H

#include "server/drivers/shared/report.h"
#include "server/drivers/uring/uring_core.h"
#include "server/net/accepted.h"

/* Makes a connection that uring_connection_begin has to be called for; NULL without memory. Any thread. */
struct uring_connection *uring_connection_new(struct uring_loop *loop, const struct accepted *accepted);

/* The loop's thread calls all others. Each may end and free the connection. */

/* Takes it into the loop, and waits for its first bytes. */
void uring_connection_begin(struct uring_connection *connection);
/* An operation has completed. */
void uring_connection_complete(struct uring_connection *connection, const struct ring_completion *completion);
/* It is its turn in the loop's queue, or in its works: then it may run work, which may take long. */
void uring_connection_look(struct uring_connection *connection, bool may_work);
/* By a sweep: its time is over. Checks for a reset while a handler waits. */
void uring_connection_due(struct uring_connection *connection);
/* The drain has begun, or cuts off. */
void uring_connection_drain(struct uring_connection *connection, bool cutting);
/* What it does. */
enum activity uring_connection_activity(const struct uring_connection *connection);
/* Moves it to the end of a list. */
void uring_connection_move(struct uring_connection *connection, enum uring_list list);

#endif
