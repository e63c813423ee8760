/* SPDX-License-Identifier: MIT */
/* The part of a reactor that its connections, its sweeper and its last resort use. */
#ifndef ECHOD_SERVER_DRIVERS_EVENT_REACTOR_CORE_H
#define ECHOD_SERVER_DRIVERS_EVENT_REACTOR_CORE_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/queue.h>

#include "common/session/service.h"
#include "common/session/session.h"
#include "server/drivers/shared/connection_count.h"
#include "server/drivers/shared/workers.h"

/* The lists of a reactor. The first ones are for the session's timers, by enum timer. */
enum reactor_list {
    REACTOR_LINGERING = TIMER_BODY + 1, /* the session is over; the longest lingering connection is first */
    REACTOR_RESTARTED,                  /* the timer restarted since the last sweep */
    REACTOR_LISTS,
};

TAILQ_HEAD(reactor_connections, connection);

/* Bytes of a read: the 64 KiB of a body with which its answer begins fit into one read together with the head, and
 * are answered from scratch memory without the heap. */
enum { REACTOR_INPUT_SIZE = 65 * 1024 };

/* The reactor owns all of it; the thread that runs the base uses it. */
struct reactor_core {
    struct event_base *base;
    struct context context;
    char *input;                          /* the read buffer, used within one callback */
    struct connection_count *connections; /* counts the reactor's connections */
    struct reactor_connections lists[REACTOR_LISTS];
    size_t count;            /* the number of connections in the lists, and of fibers */
    size_t lingering;        /* the number of lingering ones */
    struct event place_poll; /* a timer while some linger: checks whether one has to give way */
    uint32_t linger_ms;      /* how long a lingering connection is read at most */
    bool draining;           /* idle connections end */
    struct workers *workers; /* NULL: the loop runs the work */
    struct completions completions;
};

#endif
