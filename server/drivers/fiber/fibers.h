/* SPDX-License-Identifier: MIT */
/* The fibers of one loop: a fiber for each connection, beside the loop's reactor, which does the lingering closes and the
 * refusals, and whose buffers the fibers use. */
#ifndef ECHOD_SERVER_DRIVERS_FIBER_FIBERS_H
#define ECHOD_SERVER_DRIVERS_FIBER_FIBERS_H

#include "server/drivers/fiber/fibers_core.h"
#include "server/drivers/shared/report.h"
#include "server/net/accepted.h"

/* The loop's thread calls all functions except fibers_reserve and fibers_cancel; while no thread runs the loop, any thread
 * may call them. */

/* `reactor` must outlive the fibers. Its workers, which it must have, will run the work of the fibers; each fiber gets a
 * stack of `stack_size` bytes. Returns 0 or a negative errno; after an error there is nothing to undo. */
int fibers_init(struct fibers *fibers, struct server *server, struct reactor *reactor, size_t stack_size);
/* Ends the fibers that are left: their connections are closed. No work may be outstanding. */
void fibers_deinit(struct fibers *fibers);

/* Reserves a stack, which the next fibers_add takes. Returns 0 or a negative errno. The acceptor's thread calls it before it
 * passes a connection on. If it then does not pass the connection on, it calls fibers_cancel. */
int fibers_reserve(struct fibers *fibers);
void fibers_cancel(struct fibers *fibers);

/* Takes over a connection: serves it until it is closed and no longer counted. Without memory it gets a 503, and the
 * function returns false. */
bool fibers_add(struct fibers *fibers, const struct accepted *accepted);

/* Starts the drain: idle connections end now, the others with their answer; this includes connections added later. Called
 * after the drain timeout, it cuts connections off. */
void fibers_drain(struct fibers *fibers);

/* Adds the fibers to the report, each in its state. */
void fibers_report(const struct fibers *fibers, struct report *report);

#endif
