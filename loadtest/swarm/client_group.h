/* SPDX-License-Identifier: MIT */
/* A client group: the connections of one class. It decides who asks when, and counts what comes of it. */
#ifndef ECHOD_SWARM_CLIENT_GROUP_H
#define ECHOD_SWARM_CLIENT_GROUP_H

#include "loadtest/swarm/connection.h"
#include "loadtest/swarm/timing/schedule.h"
#include "loadtest/swarm/stats/series.h"
#include "loadtest/swarm/shared.h"
#include "loadtest/swarm/stats/stats.h"

/* What became of the connections, the greetings apart. */
struct client_group_connections {
    size_t asked;    /* to be opened before the load */
    size_t opened;   /* of these */
    size_t failed;   /* of these */
    size_t reopened; /* in the load */
    size_t closed;   /* by the server while nothing was asked */
};

struct client_group_greeted {
    size_t answered;
    size_t refused;
    size_t failed;
};

struct client_group {
    struct shared *shared;
    const struct options_class *of;
    struct request request;
    struct plan plan;
    struct connection *connections;
    struct connection_list free;   /* idle or closed, the one that waits longest first */
    struct connection_list flight; /* connecting, asked or parting, the one that began first first */
    struct connection_list resting;
    struct client_group_connections count;
    struct client_group_greeted greeted;
    struct schedule schedule; /* of the rate model */
    struct event *due;        /* the time of request number `awaited` */
    uint64_t awaited;
    size_t begun;         /* connections whose opening has begun */
    size_t asking;        /* with a request that is not settled */
    size_t spent;         /* closed model: connections that have asked all they were to ask */
    uint64_t lag;         /* rate model: how much later than the load it began, in nanoseconds */
    uint64_t started;     /* requests begun in the load */
    uint64_t total;       /* of the rate model: requests that are due before the end */
    uint64_t first_begun; /* instants; 0: none */
    uint64_t last_answer;
    struct stats stats;
    struct series series;
};

/* Nothing is opened yet. `first` is the number of its first connection over all groups. False if there is no memory. */
bool client_group_init(struct client_group *group, struct shared *shared, const struct options_class *of,
                       size_t first);
/* Also of one whose init failed. */
void client_group_deinit(struct client_group *group);

/* Begins to open one more connection; false if none is left. */
bool client_group_open_next(struct client_group *group);

/* The load begins: rate models count from `now`. */
void client_group_start(struct client_group *group, uint64_t now);

/* Times out the connections that have been connecting, asked or parting for longer than their timeout at `now`. */
void client_group_time_out(struct client_group *group, uint64_t now);

/* Whether the group is done: all its requests were sent and have ended, or, in PHASE_GRACE, its requests trickle. */
bool client_group_done(const struct client_group *group);

/* Requests that were due in the window until `now` and were never sent. */
uint64_t client_group_unsent(const struct client_group *group, uint64_t now);

size_t client_group_open_count(const struct client_group *group);

#endif
