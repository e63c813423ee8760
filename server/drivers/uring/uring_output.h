/* SPDX-License-Identifier: MIT */
/* What a connection sends. The ring sends small answers, which the session then counts as sent; what a socket did not take of
 * them is the connection's rest, and goes before all other output. The loop's thread calls all functions. */
#ifndef ECHOD_SERVER_DRIVERS_URING_URING_OUTPUT_H
#define ECHOD_SERVER_DRIVERS_URING_URING_OUTPUT_H

#include "server/drivers/uring/uring_core.h"

/* The context's take_output in a pass of loop->sender. The ring takes an answer that is small and complete, which is nearly
 * always the case. While there is a rest, further output stays with the session, which stops reading when it has too much.
 * Within a large body the output is left to a call: while the ring sends it, the bytes that follow would have to be kept. */
enum output_taken uring_output_take(struct context *context, struct span bytes);

/* Returns a set of enum want: what the session wants, behind the rest if there is one. */
unsigned uring_output_wants(struct uring_connection *connection);

/* Called when a send of the ring has completed, so that the socket is full or broken: keeps the rest, and waits for room.
 * `result` is that of the completion. Returns false if the connection is lost. */
bool uring_output_not_sent(struct uring_connection *connection, int result);

/* Sends as much of the rest as the socket takes, by a call, and waits for room if that is not all. Returns false if the
 * connection is lost. */
bool uring_output_send_rest(struct uring_connection *connection);

#endif
