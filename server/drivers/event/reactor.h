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
#include "server/drivers/event/refuser.h"
#include "server/drivers/shared/server.h"
#include "server/drivers/shared/workers.h"

/* Where a reactor keeps a connection: the first ones are those of its session's timer, by enum timer. */
enum reactor_list {
    REACTOR_LINGERING = TIMER_BODY + 1, /* its session is over; who has lingered longest is first */
    REACTOR_RESTARTED,                  /* its timer began anew since the last sweep */
    REACTOR_LISTS,
};

/* One served connection; all an idle one costs. Its memory is one allocation. */
struct connection {
    struct event event; /* assigned anew when what is waited for changes, and only then */
    TAILQ_ENTRY(connection) others;
    struct reactor *reactor;
    uint64_t since; /* in a timer's list: the sweep that first saw the timer as it is, or last looked at it */
    struct session session;
    union {
        uint64_t alarm_us;          /* with WANT_WAIT: when that is over */
        struct lingering lingering; /* when the session is over */
        bool gone;                  /* with `working`: it is to be freed when its work is back */
    };
    uint8_t interest; /* EV_READ, EV_WRITE */
    bool timed;       /* the event has a timeout */
    uint8_t list;     /* enum reactor_list */
    bool working;     /* a worker has its work: the session is left alone */
};

TAILQ_HEAD(reactor_connections, connection);

/*
 * Time is kept by a sweep, by a timerfd that runs while there are connections: a request arms no timer and reads no clock.
 * A connection whose timer began anew is put into a list once; the next sweep notes its time there and appends it to the
 * list of that timer, which is ordered by that time. So a sweep touches the connections that were active since the one
 * before, and those that are due: what one client costs does not grow with the number of the others. Who is due is judged
 * by the time of the sweep before: what was ready then has been seen since, so that a loop which was stalled by its own
 * work blames no client for it. A timeout comes up to three sweeps late, never early.
 *
 * All functions: the thread that runs the base, or before and after it runs.
 */
struct reactor {
    struct server *server;
    struct connection_count
        *connections; /* counts its connections: the server's, or what its owner sets before the first */
    struct event_base *base;
    struct timeouts timeouts;
    struct context context;
    char *input; /* what is read, for one callback */
    char *scratch;
    char *log_text; /* NULL: the log is off */
    struct access_log_context log;
    struct reactor_connections lists[REACTOR_LISTS];
    size_t count;
    struct refuser refuser; /* those for which there was no memory */
    size_t lingering;       /* how many of them linger */
    struct event sweep_event;
    int sweep_timer;
    unsigned sweep_interval; /* ms between two sweeps */
    bool sweeping;           /* the timer runs */
    uint64_t swept;          /* when the last sweep was */
    bool draining;
    uint32_t linger_ms;      /* how long a lingering connection is read at most; its owner may set less */
    struct event place_poll; /* while some linger: looks whether one is to give way */
    /* Whether a new connection waits for the place of one that lingers. By default: whether the counters say so. */
    bool (*place_wanted)(const struct reactor *reactor);
    struct workers *workers; /* NULL: work is done in the loop */
    struct job_returns returns;
    struct event returns_event;
};

/* A base for one thread: no locks, no signals, no clock kept. NULL if there is no memory or descriptor.
 * The caller frees it with event_base_free. */
struct event_base *reactor_base_new(void);

/* Runs it until it is told to break. An epoll_wait that fails is tried again; where it does nothing else for a while, the
 * process ends with a line and status 1: there is nobody left who could drain. */
void reactor_base_run(struct event_base *base);
/* Bytes read at once: as much of a body as lets its answer begin (64 KiB) comes with its head in one read, and goes from
 * scratch memory, without any on the heap. */
enum { REACTOR_INPUT_SIZE = 65 * 1024 };
/* Descriptors that a base and a reactor on it hold. */
enum { REACTOR_DESCRIPTORS = 5 };

/* Runs on `base`, which outlives it; `counters` are lent to it. 0 or a negative errno; then there is nothing to undo. */
int reactor_init(struct reactor *reactor, struct server *server, struct event_base *base,
                 struct counters *counters, const struct timeouts *timeouts);
/* Work goes to `workers` from now on, which outlive the reactor. Before the base runs. 0 or a negative errno. */
int reactor_employ(struct reactor *reactor, struct workers *workers);
/* Closes what is still open; no work is on its way. */
void reactor_deinit(struct reactor *reactor);

/* Serves the connection until it is closed and no longer counted; `refusing`: why it is only told that it is not served.
 * Without memory for it that is what becomes of it in any case, the shortage is reported, and this returns false. */
bool reactor_add(struct reactor *reactor, const struct accepted *accepted, enum refusal refusing);

/* Lingers on a connection whose session is over, then closes it and stops counting it. */
void reactor_linger(struct reactor *reactor, const struct accepted *accepted);

/* For a reactor whose connections are all refused, when another waits for a place: the one that has been silent longest
 * is told without having asked, and one that has lingered for a while is closed. */
void reactor_make_room(struct reactor *reactor);

/* Whether there is memory, and a descriptor, for one connection more. 0 or a negative errno. */
int reactor_probe(struct reactor *reactor);

/* Ends idle connections now and from now on, others with their answer; those too that are added later. Once the drain
 * timeout is over it cuts off what is there. */
void reactor_drain(struct reactor *reactor);

/* For connection.c: moves it to the end of a list. */
void reactor_move(struct connection *connection, enum reactor_list list);
/* For connection.c: takes it in, its timer just begun; takes it out. */
void reactor_insert(struct reactor *reactor, struct connection *connection);
void reactor_remove(struct connection *connection);

#endif
