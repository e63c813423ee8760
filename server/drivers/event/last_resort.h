/* SPDX-License-Identifier: MIT */
/* The last resort for connections for which there is no memory: a new one gets a 503, then a lingering close; one whose
 * session is over gets its lingering close. Nothing here allocates. */
#ifndef ECHOD_SERVER_DRIVERS_EVENT_LAST_RESORT_H
#define ECHOD_SERVER_DRIVERS_EVENT_LAST_RESORT_H

#include "common/base/scoreboard.h"
#include "server/drivers/event/reactor_core.h"
#include "server/drivers/shared/lingering.h"
#include "server/net/accepted.h"

/* The most such connections at once. When another one comes, the oldest gets its 503 without a request and is
 * closed. */
enum { LAST_RESORT_MAX = 16 };

struct last_resort {
    struct reactor_core *core;
    int timer; /* a timerfd, running while there are connections, because epoll may have no memory to watch them */
    struct event timer_event;
    unsigned count;
    struct last_resort_entry {
        struct accepted accepted;
        enum refusal reason;
        bool answered; /* lingers */
        union {
            uint64_t since_ms;          /* time of arrival */
            struct lingering lingering; /* with `answered` */
        };
    } entries[LAST_RESORT_MAX]; /* the oldest first */
};

/* The reactor's thread calls all functions. */

/* Uses the context, the input buffer and the connection_count of `core`, which must outlive it. Returns 0 or a negative
 * errno; after an error there is nothing to undo. */
int last_resort_init(struct last_resort *last_resort, struct reactor_core *core);
/* Sends the outstanding 503s and closes all connections. */
void last_resort_end(struct last_resort *last_resort);
/* Closes the connections that are still open. */
void last_resort_deinit(struct last_resort *last_resort);

/* Takes over a connection counted as refused: sends the 503 for `reason` once a request has arrived or the client
 * has been silent for a while. */
void last_resort_refuse(struct last_resort *last_resort, const struct accepted *accepted,
                        enum refusal reason);
/* Takes over a connection whose session is over: a lingering close, after which it is no longer counted as a served
 * one. */
void last_resort_linger(struct last_resort *last_resort, const struct accepted *accepted);

#endif
