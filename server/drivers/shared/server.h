/* SPDX-License-Identifier: MIT */
/* The running server: what the acceptor and every mode are given. */
#ifndef ECHOD_SERVER_DRIVERS_SHARED_SERVER_H
#define ECHOD_SERVER_DRIVERS_SHARED_SERVER_H

#include "common/session/service.h"
#include "server/drivers/shared/connection_count.h"
#include "server/settings/options.h"
#include "server/drivers/shared/timeouts.h"

struct access_log;
struct event_base;
struct mode;

/* Set up by main before any thread starts and constant from then on, but for the connection count and what
 * `service.scoreboard` points to, which are made for many threads. Outlives all of them. */
struct server {
    const struct options *options;
    const struct mode *mode;
    void *mode_state;        /* of the mode's start: its own, no one else's */
    struct event_base *base; /* the acceptor's, for what a mode wants to be told in the main thread */
    struct service service;
    struct connection_count connections;
    struct access_log
        *log; /* what its threads and processes write to; constant but for what it keeps itself */
    struct timeouts timeouts;
    unsigned cpus;            /* usable */
    unsigned loops;           /* event loops to run, at least 1 */
    unsigned max_connections; /* served at once, refused ones not counted */
    const char *binding;      /* what sets max_connections, for a message */
};

/* The scoreboard's counters: the first are the acceptor's, the rest the mode's. */
enum { SERVER_ACCEPTOR_COUNTERS = 0, SERVER_MODE_COUNTERS = 1 };

#endif
