/* SPDX-License-Identifier: MIT */
/* The main thread's loop, the same in every mode: accepts connections and hands them to the mode, refuses politely when
 * there is no room, publishes the date, ends the server. */
#ifndef ECHOD_SERVER_ACCEPTOR_ACCEPTOR_H
#define ECHOD_SERVER_ACCEPTOR_ACCEPTOR_H

#include "server/acceptor/admin.h"
#include "server/acceptor/date_timer.h"
#include "server/net/listeners.h"
#include "server/acceptor/place_queue.h"
#include "server/drivers/event/reactor.h"
#include "server/drivers/shared/report.h"

/* Refused connections that are told so at a time; further ones wait in the backlog. */
enum { ACCEPTOR_REFUSALS_MAX = 16 };
/* How long one of them may take to send its request, and how long it lingers at most, the time unread included. */
enum { ACCEPTOR_REFUSAL_MS = 2000 };
/* How long a new connection waits at most for the place, thread or process of one that lingers before it is refused,
 * and how often the lingering ones are asked. */
enum { ACCEPTOR_PLACE_WAIT_MS = 1000, ACCEPTOR_PLACE_ASK_MS = 20 };

struct acceptor {
    struct server *server;
    struct listeners *listeners;
    struct event_base *base;
    struct reactor refusals;  /* the connections that are told that the server is full */
    struct place_queue queue; /* those that wait for a place */
    struct event queue_timer; /* runs while there are some */
    struct admin admin;
    struct date_timer date;
    struct report report;
    void (*left)(void *arg); /* see acceptor_on_left */
    void *left_arg;
    struct event wakeup_event; /* of the connection count: one was closed */
    struct event pause_timer;
    struct event probe_timer;              /* while the system is short of what a connection needs */
    uint64_t number;                       /* of the last connection */
    uint64_t complained_ms[REFUSAL_KINDS]; /* when that was last said on stderr; 0: never */
    uint64_t served_then; /* how many connections were served when the last attempt to get something failed */
    int status;           /* to exit with */
    bool listening;       /* the listeners' events are added */
    bool closing;         /* what the kernel has queued is accepted, then no more */
    bool closed;          /* no more connections will be accepted */
    bool paused;          /* not accepting: until a connection leaves or the timer ends */
    bool paused_in_vain;  /* the timer ended it, and none has left since */
    struct event accept_events[LISTENERS_MAX];
    uint64_t closing_ms; /* when that began */
    struct remainder {
        unsigned queued; /* at the signal, and not accepted yet */
        bool done;
    } remainders[LISTENERS_MAX];
};

/* Descriptors that it will hold beside the listeners and the connections served, refused connections included (one more
 * than ACCEPTOR_REFUSALS_MAX: the one that is accepted before it turns out that there is no thread for it). */
enum { ACCEPTOR_DESCRIPTORS = REACTOR_DESCRIPTORS + 1 + ACCEPTOR_REFUSALS_MAX + 1 };

/* `admin` are the listeners of --admin-listen. 0 or a negative errno; then there is nothing to undo. The arguments outlive
 * it; nothing is counted yet. Main thread, as all functions here. */
int acceptor_init(struct acceptor *acceptor, struct server *server, struct listeners *listeners,
                  struct listeners *admin);
/* Not while connections are open. */
void acceptor_deinit(struct acceptor *acceptor);

/* SIGUSR1: lines on stderr about connections and workers. */
void acceptor_report(struct acceptor *acceptor);

/* Removes the files of all listening sockets, for an end at once. */
void acceptor_unlink(struct acceptor *acceptor);

/* Calls `left` when a connection may have left, and when the listeners are closed. Must be set before acceptor_run. */
void acceptor_on_left(struct acceptor *acceptor, void (*left)(void *arg), void *arg);

/* Serves until acceptor_finish. Returns the status that was given to that. */
int acceptor_run(struct acceptor *acceptor);

/* Accepts the connections that the kernel has queued, as far as resources allow, then closes the listeners. */
void acceptor_close(struct acceptor *acceptor);
/* Closes the listeners now, if they are open. Returns the connections in the kernel's queue, which are lost. */
struct listeners_queue acceptor_abandon(struct acceptor *acceptor);
/* Makes acceptor_run return with this status. */
void acceptor_finish(struct acceptor *acceptor, int status);

#endif
