/* SPDX-License-Identifier: MIT */
/* What came of the requests of a class. */
#ifndef ECHOD_LOADTEST_SWARM_STATS_STATS_H
#define ECHOD_LOADTEST_SWARM_STATS_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include "loadtest/swarm/stats/histogram.h"

/* How a request ended. Those from OUTCOME_CONNECT on are errors, each request has one at most. */
enum outcome {
    OUTCOME_RIGHT,   /* in time, where the class has a deadline */
    OUTCOME_LATE,    /* right, but after the deadline */
    OUTCOME_REFUSED, /* a 503 that was not expected */
    OUTCOME_CONNECT, /* the connection for it could not be opened */
    OUTCOME_READ,    /* reset, closed or not HTTP before the answer's end */
    OUTCOME_WRITE,   /* it could not be sent, and no answer came */
    OUTCOME_TIMEOUT,
    OUTCOME_STATUS, /* answered with a status that was not expected */
    OUTCOME_BODY    /* answered with a body that was not expected */
};

#define OUTCOME_TOTAL       (OUTCOME_BODY + 1)
#define OUTCOME_FIRST_ERROR OUTCOME_CONNECT

enum { STATS_STATUSES = 1000, STATS_ERROR_SIZE = 160 };

/* "connect", "read" and so on. */
const char *outcome_name(enum outcome outcome);

/* Whether a whole answer came. */
static inline bool outcome_is_answer(enum outcome outcome)
{
    return outcome == OUTCOME_RIGHT || outcome == OUTCOME_LATE || outcome == OUTCOME_REFUSED ||
           outcome == OUTCOME_STATUS || outcome == OUTCOME_BODY;
}

static inline bool outcome_is_right(enum outcome outcome)
{
    return outcome == OUTCOME_RIGHT || outcome == OUTCOME_LATE;
}

/* Returns OUTCOME_LATE if a right answer that ended at `now` has missed its deadline, else OUTCOME_RIGHT. `deadline` is
 * in nanoseconds from `due`; 0: there is none. An answer that takes exactly that long is in time. */
static inline enum outcome outcome_by_deadline(uint64_t due, uint64_t now, uint64_t deadline)
{
    return deadline != 0 && now > due && now - due > deadline ? OUTCOME_LATE : OUTCOME_RIGHT;
}

/* A request that has ended. Times are instants. */
struct settled {
    enum outcome outcome;
    unsigned status; /* 0: no answer */
    uint64_t due;
    uint64_t now;
    const char *why; /* of an error, else NULL */
};

/* The statistics of a class; all zero is empty. Only requests that were due in the window are recorded; a member that
 * counts others says so. */
struct stats {
    uint64_t begun;
    uint64_t outcomes[OUTCOME_TOTAL];
    uint64_t statuses[STATS_STATUSES];
    uint64_t offered;        /* requests begun in the window, whenever they were due */
    uint64_t came;           /* right answers that came in the window, also late ones, whenever asked for */
    uint64_t good;           /* of these, those in time */
    uint64_t bytes_sent;     /* in the window, of all requests */
    uint64_t bytes_received; /* likewise */
    uint64_t waited;         /* requests that found no free connection when they were due */
    uint64_t longest_wait;
    uint64_t delayed; /* requests begun too late though a connection was free: the client's own fault */
    uint64_t longest_delay;
    struct histogram latency;           /* of right answers, late ones included */
    struct histogram late;              /* of late ones alone */
    char first_error[STATS_ERROR_SIZE]; /* "connect: Connection refused"; empty: none */
};

void stats_settle(struct stats *stats, const struct settled *settled);

/* Keeps the first error's text. */
void stats_note(struct stats *stats, enum outcome outcome, const char *why);

/* Requests that were begun and have not ended. */
uint64_t stats_unfinished(const struct stats *stats);

/* Errors of all kinds. */
uint64_t stats_errors(const struct stats *stats);

/* A request due at `due` is begun at `now`, on a connection that was free from `free_since` on. */
void stats_begin(struct stats *stats, uint64_t due, uint64_t free_since, uint64_t now);

#endif
