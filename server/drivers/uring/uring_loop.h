/* SPDX-License-Identifier: MIT */
/* A thread with a ring, and its connections. */
#ifndef ECHOD_SERVER_DRIVERS_URING_URING_LOOP_H
#define ECHOD_SERVER_DRIVERS_URING_URING_LOOP_H

#include "server/drivers/uring/uring_core.h"

/* The descriptors of a loop. */
enum { URING_LOOP_DESCRIPTORS = RING_DESCRIPTORS + 1 };

/* Main thread. */

/* Starts the thread. `number` names it in the trace. The loop owns `counters` until uring_loop_stop; `lingerers` must outlive it. Returns 0
 * or a negative errno, as ring_init does; after an error there is nothing to undo. */
int uring_loop_start(struct uring_loop *loop, uint64_t number, struct server *server,
                     struct counters *counters, struct lingerers *lingerers);
/* Ends the thread. All connections must be gone. */
void uring_loop_stop(struct uring_loop *loop);
/* Passes a connection to the loop. Returns 0, or -ENOMEM: then the caller still owns it. */
int uring_loop_serve(struct uring_loop *loop, const struct accepted *accepted) MUTEX_EXCLUDES(uring_lock);
/* Has the loop end its idle connections; `cutting`: the others, too. */
void uring_loop_drain(struct uring_loop *loop, bool cutting);
/* The loop adds its connections to the report, and ends its part. */
void uring_loop_report(struct uring_loop *loop, struct report *report);

#endif
