/* SPDX-License-Identifier: MIT */
/* A crowd: the connections of one class. It decides who asks when, and counts what comes of it. */
#ifndef ECHOD_SWARM_CROWD_H
#define ECHOD_SWARM_CROWD_H

#include "loadtest/swarm/connection.h"
#include "loadtest/swarm/schedule.h"
#include "loadtest/swarm/series.h"
#include "loadtest/swarm/stage.h"
#include "loadtest/swarm/tally.h"

/* What became of the connections, the greetings apart. */
struct crowd_connections {
    size_t asked;    /* to be opened before the load */
    size_t opened;   /* of these */
    size_t failed;   /* of these */
    size_t reopened; /* in the load */
    size_t closed;   /* by the server while nothing was asked */
};

struct crowd_greeted {
    size_t answered;
    size_t refused;
    size_t failed;
};

struct crowd {
    struct stage *stage;
    const struct options_class *of;
    struct request request;
    struct plan plan;
    struct connection *connections;
    struct connection_list free;   /* idle or closed, the one that waits longest first */
    struct connection_list flight; /* connecting, asked or parting, the one that began first first */
    struct connection_list resting;
    struct crowd_connections count;
    struct crowd_greeted greeted;
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
    struct tally tally;
    struct series series;
};

/* Nothing is opened yet. `first` is the number of its first connection over all crowds. False if there is no memory. */
bool crowd_init(struct crowd *crowd, struct stage *stage, const struct options_class *of, size_t first);
/* Also of one whose init failed. */
void crowd_deinit(struct crowd *crowd);

/* Begins to open one more connection; false if none is left. */
bool crowd_open_next(struct crowd *crowd);

/* The load begins: rate models count from `now`. */
void crowd_start(struct crowd *crowd, uint64_t now);

/* Ends what has gone on for longer than its timeout at `now`. */
void crowd_time_out(struct crowd *crowd, uint64_t now);

/* Whether nothing more is to come of it: in the load all was asked and settled; in the grace also what trickles. */
bool crowd_done(const struct crowd *crowd);

/* Requests that were due in the window until `now` and were never sent. */
uint64_t crowd_unsent(const struct crowd *crowd, uint64_t now);

size_t crowd_open_count(const struct crowd *crowd);

#endif
