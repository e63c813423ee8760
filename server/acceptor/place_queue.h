/* SPDX-License-Identifier: MIT */
/* A queue of new connections that wait for a lingering connection to close, because they need its place among
 * --max-connections, its thread or its process. Main thread. */
#ifndef ECHOD_SERVER_ACCEPTOR_PLACE_QUEUE_H
#define ECHOD_SERVER_ACCEPTOR_PLACE_QUEUE_H

#include <stdbool.h>

#include "common/base/scoreboard.h"
#include "server/net/accepted.h"

enum { PLACE_QUEUE_SIZE = 16 };

/* Initially zero. */
struct place_queue {
    struct accepted items[PLACE_QUEUE_SIZE]; /* the oldest first */
    uint64_t since_ms[PLACE_QUEUE_SIZE];     /* when each began to wait, in ms of clock_ms */
    unsigned count;
};

/* Appends a connection; the queue must not be full. */
void place_queue_put(struct place_queue *queue, const struct accepted *accepted, uint64_t now_ms);
/* Removes the oldest connection without closing it; the queue must not be empty. */
void place_queue_drop(struct place_queue *queue);

/* Asks the owners of the `count` connections that have lingered longest, at most PLACE_QUEUE_SIZE, to close them.
 * Reads all counters from index `first` on, which is too slow to be done for every new connection. A loop has one
 * set of counters, so each call asks it for one connection. */
void place_ask(struct scoreboard *scoreboard, size_t first, unsigned count);

#endif
