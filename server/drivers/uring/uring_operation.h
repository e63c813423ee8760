/* SPDX-License-Identifier: MIT */
/* The operations that a connection asks the ring for: besides sends, at most one of each kind at a time. The loop's thread
 * calls all functions. */
#ifndef ECHOD_SERVER_DRIVERS_URING_URING_OPERATION_H
#define ECHOD_SERVER_DRIVERS_URING_URING_OPERATION_H

#include "server/drivers/uring/uring_core.h"

/* Whether an operation of this kind was asked for and has not completed. */
static inline bool uring_is_pending(const struct uring_connection *c, enum ring_tag tag)
{
    return (c->pending & 1u << tag) != 0;
}

/* Whether the last send may still fail. Until this is known, nothing may be sent after it. */
static inline bool uring_is_sending(const struct uring_connection *c)
{
    return c->sent_turn == c->loop->ring.turn;
}

/* Returns the budget from which the connection's buffers are taken. */
static inline struct budget uring_budget(const struct uring_connection *c)
{
    return c->loop->context.output.budget;
}

/* Whether the budget may soon have no room for early bytes: nearly half of it is used, or the bytes that a turn can bring
 * may use up the rest. Then the receive is stopped, so that the socket keeps as many bytes as possible. */
bool uring_is_memory_short(const struct uring_connection *connection);

/* Each function asks the ring for an operation, unless one of this kind is pending. Returns false if that was impossible;
 * the caller then has to ask again in a later turn. */

/* Receives bytes; if the connection reads by calls, only waits until the socket can be read. Also returns false if the last
 * receive found no buffer, and other connections that wait for a buffer will take all those of this turn. */
bool uring_await_bytes(struct uring_connection *connection);
/* Completes when the socket can be written. */
bool uring_await_room(struct uring_connection *connection);
/* Completes when the session's wait is over. */
bool uring_await_alarm(struct uring_connection *connection);

/* Cancels the operation of this kind if it is pending; it then completes, too. Does nothing if the ring has no room. */
void uring_cancel(struct uring_connection *connection, enum ring_tag tag);
void uring_cancel_all(struct uring_connection *connection);
/* Notes that the last completion of the operation has come. */
void uring_completed(struct uring_connection *connection, enum ring_tag tag);

#endif
