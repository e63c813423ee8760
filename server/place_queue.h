/* SPDX-License-Identifier: MIT */
/* New connections that wait until a lingering one gives them its place of --max-connections. */
#ifndef ECHOD_SERVER_PLACE_QUEUE_H
#define ECHOD_SERVER_PLACE_QUEUE_H

#include <stdbool.h>

#include "common/shared.h"
#include "server/arrival.h"

enum { PLACE_QUEUE_SIZE = 16 };

/* All functions: the acceptor's thread. */
struct place_queue {
    struct arrival items[PLACE_QUEUE_SIZE]; /* the oldest first */
    uint64_t since_ms[PLACE_QUEUE_SIZE];
    unsigned count;
};

/* Not when it is full. The arrival waits since `now_ms` of clock_ms. */
void place_queue_put(struct place_queue *queue, const struct arrival *arrival, uint64_t now_ms);
/* Takes the oldest if it has waited since `since_ms` or longer; false: there is none. */
bool place_queue_take(struct place_queue *queue, uint64_t since_ms, struct arrival *arrival);

/* Asks as many lingering connections to close as connections wait here, those that have lingered longest. Looks at all
 * slots, so not for every new connection. A loop's slot speaks for one of its connections at a time. */
void place_queue_ask(const struct place_queue *queue, struct shared *shared, size_t first_slot);

#endif
