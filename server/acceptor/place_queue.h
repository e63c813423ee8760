/* SPDX-License-Identifier: MIT */
/* New connections that wait until a lingering one gives them its place of --max-connections, its thread or its process. */
#ifndef ECHOD_SERVER_ACCEPTOR_PLACE_QUEUE_H
#define ECHOD_SERVER_ACCEPTOR_PLACE_QUEUE_H

#include <stdbool.h>

#include "common/base/scoreboard.h"
#include "server/net/accepted.h"

enum { PLACE_QUEUE_SIZE = 16 };

/* All functions: the acceptor's thread. */
struct place_queue {
    struct accepted items[PLACE_QUEUE_SIZE]; /* the oldest first */
    uint64_t since_ms[PLACE_QUEUE_SIZE];
    unsigned count;
};

/* Not when it is full. The connection waits since `now_ms` of clock_ms. */
void place_queue_put(struct place_queue *queue, const struct accepted *accepted, uint64_t now_ms);
/* Forgets the oldest, which is there. */
void place_queue_drop(struct place_queue *queue);

/* Asks so many lingering connections to close, PLACE_QUEUE_SIZE at most: those that have lingered longest. Looks at all
 * counters, so not for every new connection. Those of a loop speak for one of its connections at a time. */
void place_ask(struct scoreboard *scoreboard, size_t first, unsigned count);

#endif
