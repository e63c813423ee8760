/* SPDX-License-Identifier: MIT */
/* Event loops, each with a thread and a reactor, for the modes event, hybrid and fiber. */
#ifndef ECHOD_SERVER_DRIVERS_EVENT_LOOPS_H
#define ECHOD_SERVER_DRIVERS_EVENT_LOOPS_H

#include "server/net/accepted.h"
#include "server/drivers/event/reactor.h"
#include "server/drivers/shared/report.h"
#include "server/drivers/shared/server.h"

/* Descriptors of a loop, without the eventfd by which work returns from workers. */
enum { LOOPS_DESCRIPTORS = REACTOR_DESCRIPTORS + 1 };

/* How the loops serve connections if the reactor does not. The loop's thread calls all functions except `reserve` and
 * `cancel`; while no thread runs the loop, any thread may call them. `state` is memory of `size` bytes, one for each loop. */
struct loops_driver {
    size_t size;
    int (*init)(void *state, struct server *server, struct reactor *reactor); /* 0 or a negative errno */
    void (*thread_begin)(void); /* in the loop's thread, before the loop runs */
    void (*thread_end)(void);
    /* Reserves a scarce resource that a connection needs, such as a stack. Returns 0 or a negative errno. The acceptor's
     * thread calls it before it passes the connection on, and `cancel` if it then does not. */
    int (*reserve)(void *state);
    void (*cancel)(void *state);
    bool (*add)(void *state, const struct accepted *accepted); /* as reactor_add, for a served connection */
    void (*drain)(void *state);                                /* as reactor_drain, for its own connections */
    void (*report)(const void *state, struct report *report);
    void (*deinit)(void *state); /* before reactor_deinit */
};

/* Functions for struct mode, which describes them. Main thread.
 *
 * loops_start starts server->loops loops with the counters from SERVER_MODE_COUNTERS on, and keeps them in
 * server->mode_state. `workers` run the handlers' work; if NULL, the loops run it. The loops own the workers from the
 * call on, and stop them last. `driver` serves the connections; NULL: the reactor does. Returns 0 or a negative
 * errno; after an error there is nothing to undo. */
int loops_start(struct server *server, struct workers *workers, const struct loops_driver *driver);
int loops_serve(struct server *server, const struct accepted *accepted);
void loops_drain(struct server *server);
void loops_report(struct server *server, struct report *report);
void loops_stop(struct server *server);
/* The number of counters that the loops take. */
size_t loops_counters(const struct server *server);

#endif
