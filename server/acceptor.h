/* SPDX-License-Identifier: MIT */
/* The main thread's loop, the same in every mode: accepts connections and hands them to the mode, refuses politely when
 * there is no room, publishes the date, ends the server. */
#ifndef ECHOD_SERVER_ACCEPTOR_H
#define ECHOD_SERVER_ACCEPTOR_H

#include "server/admin.h"
#include "server/date_timer.h"
#include "server/drain.h"
#include "server/listeners.h"
#include "server/reactor.h"
#include "server/report.h"

/* Refused connections that are told so at a time; further ones wait in the backlog. */
enum { ACCEPTOR_REFUSALS_MOST = 16 };
/* How long one of them may take to send its request, or to read the answer. */
enum { ACCEPTOR_REFUSAL_MS = 2000 };
/* How often the mode is told to drain, until all connections are closed. */
enum { ACCEPTOR_DRAIN_AGAIN_MS = 50 };

struct acceptor {
    struct server *server;
    struct listeners *listeners;
    struct event_base *base;
    struct reactor refusals; /* the connections that are told that the server is full */
    struct admin admin;
    struct date_timer date;
    struct drain drain;
    struct report report;
    struct event bell_event;  /* of the gate: a connection has left */
    struct event pause_timer; /* for want of descriptors or memory */
    uint64_t number;          /* of the last connection */
    uint64_t complained_ms;   /* when a limit was last named on stderr; 0: never */
    int status;               /* to exit with */
    bool listening;           /* the listeners' events are added */
    bool closed;              /* no more connections will be accepted */
    bool paused;              /* accept found no descriptor or memory: until one leaves or the timer ends */
    bool exhausted; /* the mode could not take the last connection: until one leaves or it takes one */
    struct event accept_events[LISTENERS_MAX];
};

/* Descriptors that it will hold beside the listeners and the connections served, refused connections included (one more
 * than ACCEPTOR_REFUSALS_MOST: the one that is accepted before it turns out that there is no thread for it). */
enum { ACCEPTOR_DESCRIPTORS = REACTOR_DESCRIPTORS + 2 + ACCEPTOR_REFUSALS_MOST + 1 };

/* `admin` are the listeners of --admin-listen. 0 or a negative errno; then there is nothing to undo. The arguments outlive
 * it; the gate is open. Main thread, as all functions here. */
int acceptor_init(struct acceptor *acceptor, struct server *server, struct listeners *listeners,
                  struct listeners *admin);
/* Not while connections are open. */
void acceptor_deinit(struct acceptor *acceptor);

/* SIGUSR1: lines on stderr about connections and workers. */
void acceptor_report(struct acceptor *acceptor);

/* Removes the files of all listening sockets, for an end at once. */
void acceptor_unlink(struct acceptor *acceptor);

/* Serves until a signal ends it. Returns the exit status: 0 if every connection was served to its end. */
int acceptor_run(struct acceptor *acceptor);

/* For drain.c: accepts what the kernel has queued, closes the listeners, drains the refused. */
void acceptor_close(struct acceptor *acceptor);
/* For drain.c: acceptor_run returns with this status. */
void acceptor_finish(struct acceptor *acceptor, int status);

#endif
