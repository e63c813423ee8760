/* SPDX-License-Identifier: MIT */
/* The number of open connections, and the wakeup that tells the acceptor when one was closed. A refused connection
 * is open, too, but does not count as served: its end makes no room for another. */
#ifndef ECHOD_SERVER_DRIVERS_SHARED_CONNECTION_COUNT_H
#define ECHOD_SERVER_DRIVERS_SHARED_CONNECTION_COUNT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/drivers/shared/wakeup.h"

struct connection_count {
    _Atomic uint64_t *open;      /* all open connections */
    _Atomic uint64_t *lingering; /* the lingering ones among them */
    _Atomic uint64_t refused;    /* the refused ones among them */
    _Atomic uint64_t staying;    /* the lingering ones that make no room for a new connection */
    struct wakeup wakeup;        /* wakes the acceptor */
    _Atomic bool watched;        /* the next connection that is dropped notifies `wakeup` */
};

/* Counts in `*open` and `*lingering`, which must outlive it and be zero. Returns 0 or a negative errno; after an
 * error there is nothing to undo. Main thread. */
int connection_count_init(struct connection_count *count, _Atomic uint64_t *open,
                          _Atomic uint64_t *lingering);
/* No connection may be open. Main thread. */
void connection_count_deinit(struct connection_count *count);

/* Counts a connection that was accepted. Main thread. */
void connection_count_add(struct connection_count *count);
/* Stops counting a connection whose descriptor the caller is about to close. Wakes the acceptor if it has called
 * connection_count_watch. Any thread. */
void connection_count_drop(struct connection_count *count);
/* Marks a counted connection as refused. When it is closed, connection_count_drop_refused must be called instead of
 * connection_count_drop. Any thread. */
void connection_count_refuse(struct connection_count *count);
void connection_count_drop_refused(struct connection_count *count);
/* Returns the number of open connections. Any thread. */
uint64_t connection_count_value(const struct connection_count *count);
/* Returns the number of open connections that are not refused; never too low. Any thread. */
uint64_t connection_count_served(const struct connection_count *count);

/* Wakes the acceptor for another reason, such as a shortage; the acceptor checks for all of them. Any thread. */
void connection_count_notify(const struct connection_count *count);

/* Counts a connection as lingering, from `begin` to `end`; it is dropped after that. `gives_way`: it closes on
 * request and then makes room for a new connection; a refused connection does not. Any thread; with `gives_way` also
 * in a child process. */
void connection_count_linger_begin(struct connection_count *count, bool gives_way);
void connection_count_linger_end(struct connection_count *count, bool gives_way);
/* Returns the number of lingering connections, whose answers have been sent. Any thread. */
uint64_t connection_count_lingering(const struct connection_count *count);
/* Returns the number of lingering connections that give way. Any thread. */
uint64_t connection_count_giving_way(const struct connection_count *count);

/* Makes the next connection that is dropped wake the acceptor, once. The caller must read the count after this call,
 * because connections that were dropped before do not wake it. Main thread. */
void connection_count_watch(struct connection_count *count);
/* Clears the wakeup. Main thread. */
void connection_count_acknowledge(struct connection_count *count);

#endif
