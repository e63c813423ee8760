/* SPDX-License-Identifier: MIT */
/* The running server, as the acceptor and all modes know it. */
#ifndef ECHOD_SERVER_DRIVERS_SHARED_SERVER_H
#define ECHOD_SERVER_DRIVERS_SHARED_SERVER_H

#include "common/session/service.h"
#include "server/drivers/shared/connection_count.h"
#include "server/settings/options.h"
#include "server/drivers/shared/timeouts.h"

struct access_log;
struct event_base;
struct mode;

/* main.c sets it up before any thread starts; acceptor_init sets `base`, and the mode's `start` sets `mode_state`.
 * After that it is constant, except for the connection count, the scoreboard and the log, which several threads may
 * use. It outlives all threads. */
struct server {
    const struct options *options;
    const struct mode *mode;
    void *mode_state;        /* private to the mode */
    struct event_base *base; /* the acceptor's, for events that a mode handles in the main thread */
    struct service service;
    struct connection_count connections;
    struct access_log *log; /* of this process */
    struct timeouts timeouts;
    unsigned cpus;            /* usable CPUs */
    unsigned loops;           /* the number of event loops to run, at least 1 */
    unsigned max_connections; /* the most connections served at once, without refused ones */
    const char *binding;      /* the limit or flag that sets max_connections, for messages */
};

/* Indices of the scoreboard's counters: the first ones are the acceptor's, the rest the mode's. */
enum { SERVER_ACCEPTOR_COUNTERS = 0, SERVER_MODE_COUNTERS = 1 };

#endif
