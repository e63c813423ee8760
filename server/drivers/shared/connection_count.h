/* SPDX-License-Identifier: MIT */
/* The count of open connections, and the wakeup that whoever closes one writes to if the acceptor waits for that. A
 * connection that is refused is open too, but takes no place: what it gives back when it leaves serves nobody. */
#ifndef ECHOD_SERVER_DRIVERS_SHARED_CONNECTION_COUNT_H
#define ECHOD_SERVER_DRIVERS_SHARED_CONNECTION_COUNT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/drivers/shared/wakeup.h"

struct connection_count {
    _Atomic uint64_t *open;      /* the count */
    _Atomic uint64_t *lingering; /* those of them that only linger */
    _Atomic uint64_t refused;    /* those of them that are refused */
    _Atomic uint64_t staying;    /* those that linger and give no place to a new one */
    struct wakeup wakeup;        /* of the acceptor */
    _Atomic bool watched;
};

/* Counts in `*open` and `*lingering`, which outlive it. 0 or a negative errno. Main thread. */
int connection_count_init(struct connection_count *count, _Atomic uint64_t *open,
                          _Atomic uint64_t *lingering);
void connection_count_deinit(struct connection_count *count);

/* A connection was accepted. The acceptor's thread. */
void connection_count_add(struct connection_count *count);
/* A connection's descriptor is about to be closed. Any thread; nothing but a count where nobody watches. */
void connection_count_drop(struct connection_count *count);
/* A connection that has entered is refused from now on; then it leaves by the second. Any thread. */
void connection_count_refuse(struct connection_count *count);
void connection_count_drop_refused(struct connection_count *count);
/* Connections that entered and have not left. Any thread. */
uint64_t connection_count_value(const struct connection_count *count);
/* Those of them that are not refused. Any thread. */
uint64_t connection_count_served(const struct connection_count *count);

/* Wakes the acceptor for another reason, which the acceptor finds. Any thread. */
void connection_count_notify(const struct connection_count *count);

/* A connection that has entered begins to linger; it no longer does, and leaves next. `gives_way`: it closes when
 * asked, and a new connection has its place then; one that is refused has none. Any thread; where it gives way, any
 * process. */
void connection_count_linger_begin(struct connection_count *count, bool gives_way);
void connection_count_linger_end(struct connection_count *count, bool gives_way);
/* Connections that linger: they have had their answer. Any thread. */
uint64_t connection_count_lingering(const struct connection_count *count);
/* Those of them that give way. Any thread. */
uint64_t connection_count_giving_way(const struct connection_count *count);

/* Asks that the next one to leave wakes the acceptor, once. Look at connection_count_value after this call, not before:
 * who left earlier did not wake it. The acceptor's thread. */
void connection_count_watch(struct connection_count *count);
/* Clears the wakeup. The acceptor's thread. */
void connection_count_acknowledge(struct connection_count *count);

#endif
