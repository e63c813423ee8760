/* SPDX-License-Identifier: MIT */
/* The main thread's loop, the same in all modes. It accepts connections and passes them to the mode, answers refused
 * ones with a 503, and publishes the date. */
#ifndef ECHOD_SERVER_ACCEPTOR_ACCEPTOR_H
#define ECHOD_SERVER_ACCEPTOR_ACCEPTOR_H

#include "server/acceptor/admin.h"
#include "server/acceptor/date_timer.h"
#include "server/net/listeners.h"
#include "server/acceptor/place_queue.h"
#include "server/drivers/event/reactor.h"
#include "server/drivers/shared/report.h"

/* The most connections that are refused, or wait for a place, at a time. While there are so many, others wait in the
 * kernel's queue. */
enum { ACCEPTOR_REFUSALS_MAX = 16 };
/* The longest time in which a refused connection may send its request, and the longest time for which it lingers,
 * LINGER_UNREAD_MS included. */
enum { ACCEPTOR_REFUSAL_MS = 2000 };
/* The longest time for which a new connection waits for the place, thread or process of a lingering one before it is
 * refused, and the interval at which the acceptor asks lingering ones to close. */
enum { ACCEPTOR_PLACE_WAIT_MS = 1000, ACCEPTOR_PLACE_ASK_MS = 20 };

struct acceptor {
    struct server *server;
    struct listeners *listeners;
    struct event_base *base;
    struct reactor refusals;  /* refused connections */
    struct place_queue queue; /* connections that wait for a place */
    struct event queue_timer; /* runs while some wait */
    struct admin admin;
    struct date_timer date;
    struct report report;
    bool report_waits;        /* one for stderr shall begin when the present one is complete */
    uint64_t census_until_ms; /* until then there is a census each second */
    void (*left)(void *arg);  /* set by acceptor_on_left */
    void *left_arg;
    struct event wakeup_event; /* of the connection count: a connection was closed */
    struct event pause_timer;
    struct event probe_timer;              /* runs during a shortage (shortage.h) */
    uint64_t number;                       /* of the last connection */
    uint64_t complained_ms[REFUSAL_KINDS]; /* when the refusal was last reported on stderr; 0: never */
    uint64_t served_then; /* the number of connections served when the shortage was last found */
    int status;           /* the exit status */
    bool listening;       /* the events of the listeners are added */
    bool closing;         /* the connections in the kernel's queues are accepted, then no more */
    bool closed;          /* the listeners are closed */
    bool paused;          /* accepts nothing until a connection ends or the timer expires */
    bool paused_in_vain;  /* the timer expired, and no connection has ended since */
    struct event accept_events[LISTENERS_MAX];
    uint64_t closing_ms; /* when `closing` was set and the listeners admitted no more */
    struct remainder {
        unsigned queued; /* connections that were queued then and are not accepted yet */
        bool done;
    } remainders[LISTENERS_MAX]; /* by listener */
};

/* The most descriptors of the acceptor, without the listeners and the connections served. Refused connections are
 * included: one more than ACCEPTOR_REFUSALS_MAX, because a connection is accepted before the lack of a thread for it
 * shows. */
enum { ACCEPTOR_DESCRIPTORS = REACTOR_DESCRIPTORS + 1 + ACCEPTOR_REFUSALS_MAX + 1 };

/* The main thread calls all functions. */

/* Initialises the acceptor with an event base, which also becomes server->base, and claims SERVER_ACCEPTOR_COUNTERS.
 * `admin` are the listeners of --admin-listen, perhaps none. The arguments must outlive the acceptor, which uses the
 * listeners and closes those of `listeners` in a drain. Returns 0 or a negative errno; after an error there is
 * nothing to undo. */
int acceptor_init(struct acceptor *acceptor, struct server *server, struct listeners *listeners,
                  struct listeners *admin);
/* Frees the base and all else that acceptor_init has made. No connection that the mode serves may be open. */
void acceptor_deinit(struct acceptor *acceptor);

/* Prints the report of SIGUSR1 about connections and workers to stderr, unless the previous report is not complete
 * yet. */
void acceptor_report(struct acceptor *acceptor);

/* Removes the files of all listening unix sockets, before the process ends without a drain. */
void acceptor_unlink(struct acceptor *acceptor);

/* Makes the acceptor call `left` with `arg` whenever a connection may have ended, and after the listeners were
 * closed. Must be called before acceptor_run. */
void acceptor_on_left(struct acceptor *acceptor, void (*left)(void *arg), void *arg);

/* Runs the loop until acceptor_finish. Returns the status that acceptor_finish was given. */
int acceptor_run(struct acceptor *acceptor);

/* Begins to close: stops new connections (listeners_admit_no_more), accepts those in the kernel's queues as resources
 * allow, then closes the listeners. Does not wait for this; the loop continues it. Only once. */
void acceptor_close(struct acceptor *acceptor);
/* Closes the listeners now, if they are open. Returns the connections in the kernel's queues, which are lost. */
struct listeners_queue acceptor_abandon(struct acceptor *acceptor);
/* Makes acceptor_run return `status` when the loop has handled its present event. */
void acceptor_finish(struct acceptor *acceptor, int status);

#endif
