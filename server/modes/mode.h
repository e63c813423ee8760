/* SPDX-License-Identifier: MIT */
/* The concurrency models. A mode is a file that exports one struct mode, and one row in the table below. */
#ifndef ECHOD_SERVER_MODES_MODE_H
#define ECHOD_SERVER_MODES_MODE_H

#include "server/net/accepted.h"
#include "server/system/limits.h"
#include "server/drivers/shared/report.h"
#include "server/drivers/shared/server.h"

/* A concurrency model. The main thread, which runs the acceptor, calls all functions. */
struct mode {
    const char *name;
    const char *summary;   /* for --help: one line of at most 66 columns */
    enum limits_cost cost; /* the resource that each connection takes */
    bool loops;            /* the mode has server->loops event loops */
    /* Returns the number of worker threads. NULL: the mode has none. */
    unsigned (*workers)(const struct server *server);
    /* Returns the number of descriptors that `start` opens. Called before server->max_connections is set. */
    unsigned (*descriptors)(const struct server *server);
    /* Returns the largest number of counters that the mode uses; its first one is SERVER_MODE_COUNTERS. */
    size_t (*counters)(const struct server *server);
    /* Starts the threads and loops that exist before any connection, and sets server->mode_state, which the mode
     * owns until `stop`. Returns 0 or a negative errno; after an error there is nothing to undo. */
    int (*start)(struct server *server);
    /* Takes over the connection: the mode serves it, closes its descriptor and stops counting it. Must not block.
     * Returns 0, or a negative errno if there is no thread, process or memory for the connection, or -EBUSY if the
     * queue is full; after an error the caller still owns the connection. Loops take the connection later, in their
     * own thread, and refuse it if they have no memory. */
    int (*serve)(struct server *server, const struct accepted *accepted);
    /* Tests whether a thread or process for another connection can be created. Returns 0 or a negative errno. NULL:
     * a connection needs neither. */
    int (*probe)(struct server *server);
    /* The drain has begun and no new connections will come: the mode ends idle connections now and the others with
     * their answer, or immediately once the drain timeout is over (scoreboard_cutting). Called again every
     * DRAIN_AGAIN_MS (drain.h) until all connections are gone. */
    void (*drain)(struct server *server);
    /* Notifies processes that hold the access log open themselves that it was reopened. NULL: there are none. */
    void (*log_reopened)(struct server *server);
    /* Counts the connections for the report of SIGUSR1, and prints the activity of each worker. */
    void (*report)(struct server *server, struct report *report);
    /* Ends and joins the threads and frees the mode's state. Called after all connections are gone. */
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

/* Returns the mode with this name, NULL if there is none. Any thread. */
const struct mode *mode_find(const char *name);

/* Returns the names of all modes for command_line_parse, in static memory. Main thread. */
const struct mode_name *mode_names(void);

#endif
