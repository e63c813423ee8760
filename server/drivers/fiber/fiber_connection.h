/* SPDX-License-Identifier: MIT */
/* A connection that a fiber serves with blocking code. Where that code waits, the fiber yields to its loop. */
#ifndef ECHOD_SERVER_DRIVERS_FIBER_FIBER_CONNECTION_H
#define ECHOD_SERVER_DRIVERS_FIBER_FIBER_CONNECTION_H

#include "common/session/session.h"
#include "server/drivers/fiber/fiber.h"
#include "server/drivers/fiber/fibers_core.h"

/* Why a fiber was resumed. */
enum woken {
    WOKEN_READABLE = 1,
    WOKEN_WRITABLE = 2,
    WOKEN_TIMEOUT = 4,
    WOKEN_INTERRUPTED = 8, /* the drain wants the fiber to look around */
    WOKEN_DONE = 16,       /* a worker has run the work */
    WOKEN_RESET = 32,      /* the client has reset the connection */
};

/* Lies at the top of the fiber's own stack. An idle connection uses this page of the stack and no other. */
struct fiber_connection {
    TAILQ_ENTRY(fiber_connection) others;        /* in `all` */
    TAILQ_ENTRY(fiber_connection) others_lively; /* in `lively`; while both `quiet` and `idle`, in `idle` */
    struct fibers *fibers;
    struct server *server;
    struct fiber fiber;
    struct accepted accepted;
    int fd;
    struct session session;
    uint64_t since_ms; /* when the session's timer began */
    uint64_t alarm_us; /* with WANT_WAIT: the end of the wait */
    /* The end of the wait; UINT64_MAX: none. Between requests it is set when a tick sees the fiber. */
    uint64_t deadline_us;
    struct event socket;
    struct event timer; /* of a wait that ends soon, or of a quiet fiber within a request */
    uint8_t interest;   /* EV_READ, EV_WRITE: what `socket` waits for */
    uint8_t woken;      /* set of enum woken */
    uint8_t activity;   /* enum activity */
    uint8_t close_mode;
    bool idle;     /* waits between requests */
    bool working;  /* a worker has its work */
    bool readable; /* there may be bytes to read */
    bool precise;  /* the deadline is a handler's, not a client's */
    bool seen;     /* a tick has seen the fiber since it last ran */
    bool quiet;    /* two ticks have seen the fiber since it last ran */
};

/* The loop's thread calls all functions, from outside the fibers. Each may end and free the connection. */

/* Takes the stack that was reserved, starts the fiber and runs it until it waits. False with errno set without memory;
 * the caller then keeps the connection. */
bool fiber_connection_new(struct fibers *fibers, const struct accepted *accepted);
/* Runs the fiber until it waits again, or is over and freed. */
void fiber_connection_wake(struct fiber_connection *connection, enum woken reason);
/* During a drain: wakes a fiber for which session_drainable is true; after the drain timeout, any that does not work. */
void fiber_connection_drain(struct fiber_connection *connection, bool cutting);
/* Closes the connection and frees it, without running the fiber. */
void fiber_connection_free(struct fiber_connection *connection);
/* Called at the first tick after the fiber has run; `now` is in microseconds of clock_us. If the fiber waits between
 * requests, sets its deadline. */
void fiber_connection_see(struct fiber_connection *connection, uint64_t now);
/* Called at the second tick if the fiber has not run meanwhile. Releases the pages of the stack that the waiting fiber does
 * not use, and starts a timer for its deadline. */
void fiber_connection_quieten(struct fiber_connection *connection, uint64_t now);

#endif
