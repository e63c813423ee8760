/* SPDX-License-Identifier: MIT */
/* Many connections on one libevent base: reads, sends, timeouts, lingering closes, drain. */
#ifndef ECHOD_SERVER_DRIVERS_EVENT_REACTOR_H
#define ECHOD_SERVER_DRIVERS_EVENT_REACTOR_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/queue.h>

#include "server/drivers/shared/access_log.h"
#include "server/net/accepted.h"
#include "server/drivers/shared/lingering.h"
#include "server/drivers/shared/report.h"
#include "server/drivers/event/refuser.h"
#include "server/drivers/shared/server.h"
#include "server/drivers/shared/workers.h"

/* The lists of a reactor. The first ones are for the session's timers, by enum timer. */
enum reactor_list {
    REACTOR_LINGERING = TIMER_BODY + 1, /* the session is over; the longest lingering connection is first */
    REACTOR_RESTARTED,                  /* the timer restarted since the last sweep */
    REACTOR_LISTS,
};

/* A served connection, in one allocation: the whole user memory of an idle one. */
struct connection {
    struct event event; /* reassigned only when the awaited events change */
    TAILQ_ENTRY(connection) others;
    struct reactor *reactor;
    uint64_t
        since; /* in a timer's list: the time of the sweep that first saw this timer, or last checked it */
    struct session session;
    union {
        uint64_t alarm_us;          /* with WANT_WAIT: the end of the wait */
        struct lingering lingering; /* when the session is over */
        bool gone;                  /* with `working`: free it when its work returns */
    };
    uint8_t interest; /* EV_READ, EV_WRITE */
    bool timed;       /* the event has a timeout */
    uint8_t list;     /* enum reactor_list */
    bool working;     /* a worker has its work: nobody may use the session */
};

TAILQ_HEAD(reactor_connections, connection);

/* A sweep keeps time, on a timerfd that runs while there are connections: a request sets no timer and reads no clock. A
 * connection whose timer restarted is put into a list once. The next sweep records its time and appends it to the list
 * of that timer, which is ordered by that time. So a sweep touches only the connections that were active since the
 * previous sweep, and those that are due: the cost of a client does not grow with the number of clients. Whether a
 * connection is due is judged by the time of the previous sweep, because events that were ready then have been handled
 * since: a loop that its own work stalled times out no client. A timeout comes up to three ticks late, never early.
 *
 * All functions: the thread that runs the base, or any thread while no thread runs it. */
struct reactor {
    struct server *server;
    struct connection_count
        *connections; /* counts its connections: the server's, or what its owner sets before the first */
    struct event_base *base;
    struct timeouts timeouts;
    struct context context;
    char *input; /* the read buffer, used within one callback */
    char *scratch;
    char *log_text; /* NULL: the log is off */
    struct access_log_context log;
    struct reactor_connections lists[REACTOR_LISTS];
    size_t count;
    struct refuser refuser; /* connections without memory */
    size_t lingering;       /* the number of lingering connections */
    struct event sweep_event;
    int sweep_timer;
    unsigned sweep_interval; /* ms between two sweeps */
    bool sweeping;           /* the timer runs */
    uint64_t swept;          /* the time of the last sweep */
    bool draining;
    uint32_t linger_ms;      /* how long a lingering connection is read at most; its owner may set less */
    struct event place_poll; /* while some linger: looks whether one is to give way */
    /* Whether a new connection waits for the place of a lingering one. The default reads it from the counters. */
    bool (*place_wanted)(const struct reactor *reactor);
    struct workers *workers; /* NULL: the loop runs the work */
    struct completions completions;
    struct event completions_event;
};

/* Returns an event base for one thread, without locks, signals and cached time; NULL if there is no memory or
 * descriptor. The caller owns it and frees it with event_base_free. */
struct event_base *reactor_base_new(void);

/* Runs the base until event_base_loopbreak. A failing epoll_wait is retried; if it keeps failing for a while the
 * process exits with status 1 and a line on stderr, because nothing could drain it. */
void reactor_base_run(struct event_base *base);
/* Bytes of a read: the 64 KiB of a body with which its answer begins fit into one read together with the head, and
 * are answered from scratch memory without the heap. */
enum { REACTOR_INPUT_SIZE = 65 * 1024 };
/* The descriptors of a base and its reactor. */
enum { REACTOR_DESCRIPTORS = 5 };

/* Initialises a reactor on `base`, which must outlive it; `counters` is its own until reactor_deinit. Returns 0 or a
 * negative errno; after an error there is nothing to undo. */
int reactor_init(struct reactor *reactor, struct server *server, struct event_base *base,
                 struct counters *counters, const struct timeouts *timeouts);
/* From now on `workers`, which must outlive the reactor, run the work. Before the base runs. Returns 0 or a negative
 * errno. */
int reactor_employ(struct reactor *reactor, struct workers *workers);
/* Closes the connections that are still open. No work may be outstanding. */
void reactor_deinit(struct reactor *reactor);

/* Takes over a connection: serves it until it is closed and no longer counted, or answers with a 503 for the reason
 * `refusing`. If there is no memory, the connection gets a 503 in any case, the shortage is reported, and the
 * function returns false. */
bool reactor_add(struct reactor *reactor, const struct accepted *accepted, enum refusal refusing);

/* Takes over a connection whose session is over: a lingering close, after which it is no longer counted. */
void reactor_linger(struct reactor *reactor, const struct accepted *accepted);

/* For a reactor of refused connections, when another one waits for a place: the connection silent for longest gets
 * its 503 without a request, and one that has lingered long enough is closed. */
void reactor_make_room(struct reactor *reactor);

/* Tests whether there is memory and a descriptor for another connection. Returns 0 or a negative errno. */
int reactor_probe(struct reactor *reactor);

/* Starts the drain: idle connections end now, the others with their answer; this includes connections added later.
 * Called after the drain timeout, it cuts connections off. */
void reactor_drain(struct reactor *reactor);

/* Adds its connections to the report, each in its state. */
void reactor_report(const struct reactor *reactor, struct report *report);

/* For connection.c: moves the connection to the end of a list. */
void reactor_move(struct connection *connection, enum reactor_list list);
/* For connection.c: adds a connection whose timer has just begun; removes one. */
void reactor_insert(struct reactor *reactor, struct connection *connection);
void reactor_remove(struct connection *connection);

#endif
