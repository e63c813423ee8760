/* SPDX-License-Identifier: MIT */
/* Many connections on one libevent base: reads, sends, timeouts, lingering closes, drain. */
#ifndef ECHOD_SERVER_REACTOR_H
#define ECHOD_SERVER_REACTOR_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/queue.h>

#include "server/access_log.h"
#include "server/arrival.h"
#include "server/lingering.h"
#include "server/refuser.h"
#include "server/server.h"
#include "server/workers.h"

/* One served connection; all an idle one costs. Its memory is one allocation. */
struct connection {
    struct event event; /* assigned anew when what is waited for changes, and only then */
    LIST_ENTRY(connection) others;
    struct reactor *reactor;
    uint64_t since; /* the sweep that first saw the session's timer as it is */
    struct session session;
    union {
        uint64_t alarm_us;          /* with WANT_WAIT: when that is over */
        struct lingering lingering; /* when the session is over */
        bool gone;                  /* with `working`: it is to be freed when its work is back */
    };
    uint8_t interest; /* EV_READ, EV_WRITE */
    bool timed;       /* the event has a timeout */
    bool lingers;
    bool working; /* a worker has its work: the session is left alone */
};

/*
 * Time is kept by a sweep over all connections, by a timerfd that runs while there are any: a request arms no timer and
 * reads no clock. A sweep notes its time at the connections whose timer began anew since the sweep before, and judges
 * the others by the time of the sweep before: what was ready then has been seen since, so that a loop which was stalled
 * by its own work blames no client for it. A timeout comes up to three ticks late, never early.
 *
 * All functions: the thread that runs the base, or before and after it runs.
 */
struct reactor {
    struct server *server;
    struct gate
        *gate; /* which its connections leave: the server's, or what its owner sets before the first */
    struct event_base *base;
    struct timeouts timeouts;
    struct lane lane;
    char *input; /* what is read, for one callback */
    char *scratch;
    char *log_text; /* NULL: the log is off */
    struct access_lane log;
    LIST_HEAD(, connection) connections;
    size_t count;
    struct refuser refuser; /* those for which there was no memory */
    struct event sweep_event;
    int sweep_timer;
    unsigned tick;  /* ms between two sweeps */
    unsigned pace;  /* what the timer is set to now: the tick, less while somebody needs it, 0 when off */
    uint64_t swept; /* when the last sweep was */
    bool draining;
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

/* Runs on `base`, which outlives it; `slot` is lent to it. 0 or a negative errno; then there is nothing to undo. */
int reactor_init(struct reactor *reactor, struct server *server, struct event_base *base, struct slot *slot,
                 const struct timeouts *timeouts);
/* Work goes to `workers` from now on, which outlive the reactor. Before the base runs. 0 or a negative errno. */
int reactor_employ(struct reactor *reactor, struct workers *workers);
/* Closes what is still open; no work is on its way. */
void reactor_deinit(struct reactor *reactor);

/* Serves the arrival until it is closed and has left the gate; `refusing`: why it is only told that it is not served. Without memory
 * for it that is what becomes of it in any case, the shortage is reported, and this returns false. */
bool reactor_add(struct reactor *reactor, const struct arrival *arrival, enum refusal refusing);

/* Lingers on a connection whose session is over, then closes it, and it has left the gate. */
void reactor_linger(struct reactor *reactor, const struct arrival *arrival);

/* For a reactor whose connections are all refused, when another waits for a place: the one that has been silent longest is told without
 * having asked, and one that has lingered for a while is closed. */
void reactor_make_room(struct reactor *reactor);

/* Whether there is memory, and a descriptor, for one connection more. 0 or a negative errno. */
int reactor_probe(struct reactor *reactor);

/* Ends idle connections now and from now on, others with their answer; those too that are added later. */
void reactor_drain(struct reactor *reactor);

/* For connection.c: the sweep shall come soon, for a connection that lingers. */
void reactor_hasten(struct reactor *reactor);

#endif
