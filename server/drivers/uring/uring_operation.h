/* SPDX-License-Identifier: MIT */
/* What a connection has asked the ring for: at most one operation of each kind at a time, besides sends. The loop's thread calls all
 * of it. */
#ifndef ECHOD_SERVER_DRIVERS_URING_URING_OPERATION_H
#define ECHOD_SERVER_DRIVERS_URING_URING_OPERATION_H

#include "server/drivers/uring/uring_core.h"

/* Whether an operation of this kind has not completed. */
static inline bool uring_is_pending(const struct uring_connection *c, enum ring_tag tag)
{
    return (c->pending & 1u << tag) != 0;
}

/* Whether the last send may fail yet: nothing may be sent behind it. */
static inline bool uring_is_sending(const struct uring_connection *c)
{
    return c->sent_turn == c->loop->ring.turn;
}

/* What its buffers are taken from. */
static inline struct budget uring_budget(const struct uring_connection *c)
{
    return c->loop->context.output.budget;
}

/* Whether the memory for what comes early may soon be used up, if only by all that one turn can bring: then the socket keeps it, as
 * far as possible. */
bool uring_is_memory_short(const struct uring_connection *connection);

/* Each asks the ring for an operation, unless one is pending. False if it could not: it is asked for again in a later turn. */

/* Receive what comes. False also while others wait for the buffers of this turn. */
bool uring_await_bytes(struct uring_connection *connection);
/* Wait until the socket can be written. */
bool uring_await_room(struct uring_connection *connection);
/* Wait until the session's wait is over. */
bool uring_await_alarm(struct uring_connection *connection);

/* Cancels the operation if it is pending: its completion comes nevertheless. Without room in the ring it stays as it is. */
void uring_cancel(struct uring_connection *connection, enum ring_tag tag);
void uring_cancel_all(struct uring_connection *connection);
/* The operation's last completion has come. */
void uring_completed(struct uring_connection *connection, enum ring_tag tag);

#endif
