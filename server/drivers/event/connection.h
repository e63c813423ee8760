/* SPDX-License-Identifier: MIT */
/* One connection of a reactor: its reactions to events, sweeps and the drain. */
#ifndef ECHOD_SERVER_DRIVERS_EVENT_CONNECTION_H
#define ECHOD_SERVER_DRIVERS_EVENT_CONNECTION_H

#include "common/session/session.h"
#include "server/drivers/event/reactor_core.h"
#include "server/drivers/shared/lingering.h"
#include "server/net/accepted.h"

/* A served connection, in one allocation: the whole user memory of an idle one. */
struct connection {
    struct event event; /* reassigned only when the awaited events change */
    TAILQ_ENTRY(connection) others;
    struct reactor_core *core;
    /* In a timer's list: the time of the sweep that first saw this timer, or last checked it. */
    uint64_t since;
    struct session session;
    union {
        uint64_t alarm_us;          /* with WANT_WAIT: the end of the wait */
        struct lingering lingering; /* when the session is over */
        bool gone;                  /* with `working`: free it when its work returns */
    };
    uint8_t interest; /* EV_READ, EV_WRITE */
    bool timed;       /* the event has a timeout */
    uint8_t list;     /* enum reactor_list */
    bool working;     /* a worker has its work: nobody may use the session */
};

/* The reactor's thread calls all functions. Each may close and free the connection. */

/* Allocates a connection, adds it to REACTOR_RESTARTED, and waits for its first bytes. The connection owns the
 * descriptor and frees itself when it closes. Returns NULL without memory; the caller then keeps the descriptor. */
struct connection *connection_new(struct reactor_core *core, const struct accepted *accepted,
                                  enum refusal refusing);
/* Begins a lingering close (RFC 9112, 9.6), after the session is over. */
void connection_linger(struct connection *connection);
/* Closes the connection in any state, frees it, and stops counting it. While a worker has its work, it is freed when
 * the work returns. */
void connection_free(struct connection *connection);

/* Moves the connection to the end of a list. */
void connection_move(struct connection *connection, enum reactor_list list);

/* Called by a sweep: the session's timer has expired; or, while a handler waits or works, it is time to check for a
 * reset. */
void connection_due(struct connection *connection);

/* Called when a worker has finished the connection's work. */
void connection_work_done(struct connection *connection);

/* Sends a refused connection its 503 even if its request is incomplete or has not begun. */
void connection_tell(struct connection *connection);

/* During a drain: reads an idle connection once more, and closes it if nothing has arrived. Ends other connections for
 * which session_drainable is true. Does nothing to the rest. */
void connection_drain(struct connection *connection);
/* After the drain timeout: treats an idle connection as connection_drain does, and sends the 503 to a refused
 * connection that has sent no complete head. Does nothing to a lingering connection, or while a worker has the
 * connection's work. Cuts off any other connection. Called again until the connection is gone. */
void connection_cut_off(struct connection *connection);

#endif
