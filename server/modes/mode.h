/* SPDX-License-Identifier: MIT */
/* The concurrency models. A mode is a file that exports one struct mode, and one row in the table below. "Adding" in
 * ARCHITECTURE.md lists what else a new mode needs. */
#ifndef ECHOD_SERVER_MODES_MODE_H
#define ECHOD_SERVER_MODES_MODE_H

#include "server/net/accepted.h"
#include "server/system/limits.h"
#include "server/drivers/shared/report.h"
#include "server/drivers/shared/server.h"

/* A concurrency model. The main thread calls all functions. Between `start` and `stop` it runs the acceptor's event loop, so
 * all functions except these two must not block: while one blocks, no connection is accepted and no signal is handled. If a
 * function may be NULL, its comment says what NULL means; all others must be there. Errors are negative errnos. */
struct mode {
    const char *name;
    const char *summary;       /* for --help: one line of at most 66 columns */
    enum limits_cost cost;     /* the resource that each connection takes */
    bool loops;                /* the mode has server->loops event loops */
    unsigned loop_descriptors; /* descriptors that `start` opens for each of them */
    unsigned descriptors;      /* descriptors that `start` opens beside those */
    unsigned stack_size;       /* the default of --stack-size, in bytes; 0: the mode does not use it */

    /* Returns the number of worker threads. Called by main.c before and after `start`, for limits and messages.
     * NULL: the mode has none. */
    unsigned (*workers)(const struct server *server);

    /* Returns the largest number of counters that the mode uses; its first one is SERVER_MODE_COUNTERS. Called by
     * main.c before `start`, with server->max_connections set. NULL: one for each connection that is served at once.
     * Such a mode must give the counters of a connection back before it stops counting this connection; otherwise
     * `serve` may find none for the next connection. */
    size_t (*counters)(const struct server *server);

    /* Starts the threads and loops that exist before any connection, and sets server->mode_state, which the mode owns
     * until `stop`. Called once, by main.c, with server->base made and not running yet. May block. Returns 0 or an
     * error, after which nothing has to be undone and main.c ends the process. */
    int (*start)(struct server *server);

    /* Returns what an error of `start` means, as part of a sentence in static memory; NULL: what strerror says. Called by main.c. NULL:
     * the mode has nothing to say. */
    const char *(*explain)(int error);

    /* Takes over a connection: the mode serves it, closes its descriptor and stops counting it. Called by the acceptor
     * for each connection while there is room for it. Returns 0, or an error, after which the acceptor still owns the
     * connection: -EBUSY if the queue is full (503 for --queue), -EAGAIN if there is no thread or process now, so that
     * the connection may wait for one, any other if the system is short of something (503). Loops take the connection
     * later, in their own thread, and refuse it if they have no memory. */
    int (*serve)(struct server *server, const struct accepted *accepted);

    /* Tests whether a thread, process or stack for another connection can be created. Called by the acceptor once a
     * second after an error of `serve`. Returns 0, which ends the shortage, or an error. NULL: a connection needs none
     * of these. */
    int (*probe)(struct server *server);

    /* Ends idle connections now and the others with their answer, or immediately once the drain timeout is over
     * (scoreboard_cutting). Called by the drain when no new connections will come, and again every DRAIN_AGAIN_MS
     * (drain.h) until all connections are gone. It wakes threads and loops, and does not wait for them. */
    void (*drain)(struct server *server);

    /* Notifies processes that hold the access log open themselves. Called for SIGHUP, after the log was reopened. NULL:
     * there are none. */
    void (*log_reopened)(struct server *server);

    /* Counts the connections in the report, and prints the activity of each worker. Called for SIGUSR1. Other threads
     * may add their counts later: report_expect is called for each of them, and each of them calls report_end. */
    void (*report)(struct server *server, struct report *report);

    /* Ends and joins the threads and frees the mode's state. Called once, by main.c, when all connections are gone and
     * the base no longer runs. May block. Not called if connections are left: the process ends with them. */
    void (*stop)(struct server *server);
};

/* In the order of --help. A build with ECHOD_MODES defines a table with fewer rows: cmake/modes.cmake. */
#ifndef MODES
#define MODES(MODE) \
    MODE(thread)    \
    MODE(event)     \
    MODE(hybrid)    \
    MODE(pool)      \
    MODE(process)   \
    MODE(fiber)     \
    MODE(uring)
#endif

/* Those that are not in this build, because a library was not found: cmake/modes.cmake defines rows MODE(name, library). */
#ifndef MODES_MISSING
#define MODES_MISSING(MODE)
#endif

#define MODE_DECLARE(name) extern const struct mode mode_##name;
MODES(MODE_DECLARE)
#undef MODE_DECLARE

/* Returns the mode with this name, NULL if there is none. Any thread. */
const struct mode *mode_find(const char *name);

/* Returns the number of descriptors that the server's mode opens in `start`. Any thread. */
unsigned mode_descriptors(const struct server *server);

/* Returns the size of a connection's stack in bytes: --stack-size, or the mode's default. Any thread. */
uint64_t mode_stack_size(const struct server *server);

/* Returns the number of counters that the server's mode uses at most. Main thread, with server->max_connections set. */
size_t mode_counters(const struct server *server);

/* Returns the names of all modes for command_line_parse, and behind them those that are missing in this build, in static
 * memory. Main thread. */
const struct mode_name *mode_names(void);

#endif
