/* SPDX-License-Identifier: MIT */
/* The count of open connections, and the bell that whoever closes one rings if the acceptor waits for that. A
 * connection that is refused is open too, but takes no place: what it gives back when it leaves serves nobody. */
#ifndef ECHOD_SERVER_DRIVERS_SHARED_CONNECTION_COUNT_H
#define ECHOD_SERVER_DRIVERS_SHARED_CONNECTION_COUNT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct gate {
    _Atomic uint64_t *open;      /* the count */
    _Atomic uint64_t *lingering; /* those of them that only linger */
    _Atomic uint64_t refused;    /* those of them that are refused */
    _Atomic uint64_t staying;    /* those that linger and give no place to a new one */
    int bell;                    /* an eventfd: readable once it was rung */
    _Atomic bool watched;
};

/* Counts in `*open` and `*lingering`, which outlive it. 0 or a negative errno. Main thread. */
int gate_init(struct gate *gate, _Atomic uint64_t *open, _Atomic uint64_t *lingering);
void gate_deinit(struct gate *gate);

/* A connection was accepted. The acceptor's thread. */
void gate_enter(struct gate *gate);
/* A connection's descriptor is about to be closed. Any thread; nothing but a count where nobody watches. */
void gate_leave(struct gate *gate);
/* A connection that has entered is refused from now on; then it leaves by the second. Any thread. */
void gate_refuse(struct gate *gate);
void gate_leave_refused(struct gate *gate);
/* Connections that entered and have not left. Any thread. */
uint64_t gate_open(const struct gate *gate);
/* Those of them that are not refused. Any thread. */
uint64_t gate_served(const struct gate *gate);

/* Rings the bell for another reason, which the acceptor finds. Any thread. */
void gate_ring(const struct gate *gate);

/* A connection that has entered begins to linger; it no longer does, and leaves next. `gives_way`: it closes when
 * asked, and a new connection has its place then; one that is refused has none. Any thread; where it gives way, any
 * process. */
void gate_linger_begin(struct gate *gate, bool gives_way);
void gate_linger_end(struct gate *gate, bool gives_way);
/* Connections that linger: they have had their answer. Any thread. */
uint64_t gate_lingering(const struct gate *gate);
/* Those of them that give way. Any thread. */
uint64_t gate_giving_way(const struct gate *gate);

/* Asks that the next one to leave rings the bell, once. Look at gate_open after this call, not before: who left
 * earlier did not ring. The acceptor's thread. */
void gate_watch(struct gate *gate);
/* Quiets the bell. The acceptor's thread. */
void gate_answer(struct gate *gate);

#endif
