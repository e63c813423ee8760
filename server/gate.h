/* SPDX-License-Identifier: MIT */
/* The count of open connections, and the bell that whoever closes one rings if the acceptor waits for that. */
#ifndef ECHOD_SERVER_GATE_H
#define ECHOD_SERVER_GATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct gate {
    _Atomic uint64_t *open; /* the count */
    int bell;               /* an eventfd: readable once it was rung */
    _Atomic bool watched;
};

/* Counts in `*open`, which outlives it. 0 or a negative errno. Main thread. */
int gate_init(struct gate *gate, _Atomic uint64_t *open);
void gate_deinit(struct gate *gate);

/* A connection was accepted. The acceptor's thread. */
void gate_enter(struct gate *gate);
/* A connection's descriptor is about to be closed. Any thread; nothing but a count where nobody watches. */
void gate_leave(struct gate *gate);
/* Connections that entered and have not left. Any thread. */
uint64_t gate_open(const struct gate *gate);

/* Asks that the next one to leave rings the bell, once. Look at gate_open after this call, not before: who left
 * earlier did not ring. The acceptor's thread. */
void gate_watch(struct gate *gate);
/* Quiets the bell. The acceptor's thread. */
void gate_answer(struct gate *gate);

#endif
