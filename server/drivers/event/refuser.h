/* SPDX-License-Identifier: MIT */
/* Connections without memory for a session: each gets a 503 and a lingering close. Nothing here allocates. */
#ifndef ECHOD_SERVER_DRIVERS_EVENT_REFUSER_H
#define ECHOD_SERVER_DRIVERS_EVENT_REFUSER_H

#include "common/base/scoreboard.h"
#include "server/drivers/event/reactor_core.h"
#include "server/drivers/shared/lingering.h"
#include "server/net/accepted.h"

/* The most such connections at once. When another one comes, the oldest gets its 503 without a request and is
 * closed. */
enum { REFUSER_PLACES = 16 };

struct refuser {
    struct reactor_core *core;
    int timer; /* a timerfd, running while there are connections, because epoll may have no memory to watch them */
    struct event timer_event;
    unsigned count;
    struct refused {
        struct accepted accepted;
        enum refusal reason;
        bool answered; /* lingers */
        union {
            uint64_t since_ms;          /* time of arrival */
            struct lingering lingering; /* with `answered` */
        };
    } places[REFUSER_PLACES]; /* the oldest first */
};

/* The reactor's thread calls all functions. */

/* Uses the context, the input buffer and the connection_count of `core`, which must outlive it. Returns 0 or a negative
 * errno; after an error there is nothing to undo. */
int refuser_init(struct refuser *refuser, struct reactor_core *core);
/* Sends the outstanding 503s and closes all connections. */
void refuser_end(struct refuser *refuser);
/* Closes the connections that are still open. */
void refuser_deinit(struct refuser *refuser);

/* Takes over a connection counted as refused: sends the 503 for `reason` once a request has arrived or the client
 * has been silent for a while. */
void refuser_refuse(struct refuser *refuser, const struct accepted *accepted, enum refusal reason);
/* Takes over a connection whose session is over: a lingering close, after which it is no longer counted as a served
 * one. */
void refuser_linger(struct refuser *refuser, const struct accepted *accepted);

#endif
