/* SPDX-License-Identifier: MIT */
/* The concurrency models. Each is a file that exports one struct mode, and one line in the table here. */
#ifndef ECHOD_SERVER_MODES_MODE_H
#define ECHOD_SERVER_MODES_MODE_H

#include "server/net/accepted.h"
#include "server/system/limits.h"
#include "server/drivers/shared/report.h"
#include "server/drivers/shared/server.h"

/* What becomes of an accepted connection. All functions: the main thread, which is the acceptor's. */
struct mode {
    const char *name;
    const char *summary;   /* for --help: one line of at most 66 columns */
    enum limits_cost cost; /* of a connection */
    bool loops;            /* it has event loops, as many as the server's setup says */
    /* How many worker threads it has; NULL: none. */
    unsigned (*workers)(const struct server *server);
    /* Descriptors that start opens. Before max_connections is known. */
    unsigned (*descriptors)(const struct server *server);
    /* Sets of counters it will claim at most, from SERVER_MODE_COUNTERS on. */
    size_t (*counters)(const struct server *server);
    /* Makes the threads and loops that are there before any connection, sets server->mode_state. 0 or a negative errno;
     * then there is nothing to undo. */
    int (*start)(struct server *server);
    /* Takes the connection over: serves it, closes it and stops counting it. 0, or a negative errno if there is no
     * thread, process or memory for it, -EBUSY if its queue is full: then it stays with the caller. Loops take it
     * later, and refuse it if they have no memory. */
    int (*serve)(struct server *server, const struct accepted *accepted);
    /* Whether there would be a thread or process for one connection more. 0 or a negative errno. NULL: it needs none. */
    int (*probe)(struct server *server);
    /* No more connections will come: idle ones shall end now, others with their answer, or without one if the drain
     * timeout is over (scoreboard_cutting). Called again every ACCEPTOR_DRAIN_AGAIN_MS until all are gone. */
    void (*drain)(struct server *server);
    /* The access log was opened anew: tells processes that have it open themselves. NULL: there are none. */
    void (*log_reopened)(struct server *server);
    /* For report_begin's: counts the connections, and prints what each worker does. */
    void (*report)(struct server *server, struct report *report);
    /* All connections are gone: ends the threads, frees everything. */
    void (*stop)(struct server *server);
};

/* In the order of --help. */
#define MODES(MODE) \
    MODE(thread)    \
    MODE(event)     \
    MODE(hybrid)    \
    MODE(pool)      \
    MODE(process)

#define MODE_DECLARE(name) extern const struct mode mode_##name;
MODES(MODE_DECLARE)
#undef MODE_DECLARE

/* NULL if there is none of that name. */
const struct mode *mode_find(const char *name);

/* All names, for options_parse; static. */
const struct mode_name *mode_names(void);

#endif
