/* SPDX-License-Identifier: MIT */
/* Connections for which there is no memory: each is told so with a 503 and closed when it has read that. Nothing here
 * allocates. */
#ifndef ECHOD_SERVER_DRIVERS_SHARED_REFUSER_H
#define ECHOD_SERVER_DRIVERS_SHARED_REFUSER_H

#include <event2/event.h>
#include <event2/event_struct.h>

#include "common/base/scoreboard.h"
#include "server/net/accepted.h"
#include "server/drivers/shared/lingering.h"

struct reactor;

/* At once; where another comes, the oldest is told without having asked, and closed. */
enum { REFUSER_PLACES = 16 };

struct refuser {
    int timer; /* a timerfd that runs while there are connections: epoll may have no memory to watch them */
    struct event timer_event;
    unsigned count;
    struct refused {
        struct accepted accepted;
        enum refusal reason;
        bool answered; /* it lingers */
        union {
            uint64_t since_ms;          /* when it came */
            struct lingering lingering; /* once it is answered */
        };
    } places[REFUSER_PLACES]; /* the oldest first */
};

/* All functions: the reactor's thread. The reactor embeds the refuser, and lends its context, its input buffer and its
 * connection count. */

/* 0 or a negative errno; then there is nothing to undo. */
int refuser_init(struct reactor *reactor);
/* Tells those that have not asked yet, and closes all. */
void refuser_end(struct reactor *reactor);
/* Closes what is still open. */
void refuser_deinit(struct reactor *reactor);

/* Tells the connection, which is counted as refused, why it is not served, once it has asked or has been silent for a
 * while. */
void refuser_refuse(struct reactor *reactor, const struct accepted *accepted, enum refusal reason);
/* Lingers on a connection whose session is over; it is counted as one that was served. */
void refuser_linger(struct reactor *reactor, const struct accepted *accepted);

#endif
