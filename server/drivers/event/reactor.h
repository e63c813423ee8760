/* SPDX-License-Identifier: MIT */
/* Many connections on one libevent base: reads, sends, timeouts, lingering closes, drain. */
#ifndef ECHOD_SERVER_DRIVERS_EVENT_REACTOR_H
#define ECHOD_SERVER_DRIVERS_EVENT_REACTOR_H

#include <event2/event.h>
#include <event2/event_struct.h>

#include "server/drivers/event/reactor_core.h"
#include "server/drivers/event/last_resort.h"
#include "server/drivers/event/sweeper.h"
#include "server/drivers/shared/access_log.h"
#include "server/drivers/shared/report.h"
#include "server/drivers/shared/server.h"
#include "server/net/accepted.h"

/* All functions: the thread that runs the base, or any thread while no thread runs it. */
struct reactor {
    struct reactor_core core;
    struct server *server;
    char *scratch;
    char *log_text; /* NULL: the log is off */
    struct access_log_context log;
    struct last_resort last_resort; /* connections without memory */
    struct sweeper sweeper;
    /* Whether a new connection waits for the place of a lingering one. The default reads it from the counters. */
    bool (*place_wanted)(const struct reactor *reactor);
    /* Called with the owner of work that workers have finished. The default is for a struct connection. */
    void (*work_done)(void *owner);
    struct event completions_event;
};

/* Returns an event base for one thread, without locks, signals and cached time; NULL if there is no memory or
 * descriptor. The caller owns it and frees it with event_base_free. */
struct event_base *reactor_base_new(void);

/* Runs the base until event_base_loopbreak. A failing epoll_wait is retried; if it keeps failing for a while the
 * process exits with status 1 and a line on stderr, because nothing could drain it. */
void reactor_base_run(struct event_base *base);

/* The descriptors of a base and its reactor. */
enum { REACTOR_DESCRIPTORS = 5 };

/* Initialises a reactor on `base`, which must outlive it; `counters` is its own until reactor_deinit. It counts in the
 * server's connection count and lingers for LINGER_WHOLE_MS; before the first connection its owner may set
 * `core.connections` and `core.linger_ms`. Returns 0 or a negative errno; after an error there is nothing to undo. */
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

/* Takes over a connection for which the system is short of something, an errno: it gets a 503 by the last resort, and the
 * shortage is reported. */
void reactor_refuse(struct reactor *reactor, const struct accepted *accepted, enum refusal refusing,
                    int error);

/* Takes over a connection whose session is over: a lingering close, after which it is no longer counted. */
void reactor_linger(struct reactor *reactor, const struct accepted *accepted);

/* For a reactor of refused connections, when another one waits for a place: the connection silent for longest gets
 * its 503 without a request, and one that has lingered long enough is closed. */
void reactor_make_room(struct reactor *reactor);

/* Ends the connection that has been idle for longest, if that is at least `least_ms`. A request that has just come is
 * answered before. */
void reactor_end_idle(struct reactor *reactor, uint64_t least_ms);

/* Tests whether there is memory and a descriptor for another connection. Returns 0 or a negative errno. */
int reactor_probe(struct reactor *reactor);

/* Starts the drain: connections for which session_drainable is true end now, the others with their answer; this includes connections added later.
 * Called after the drain timeout, it cuts connections off. */
void reactor_drain(struct reactor *reactor);

/* Adds its connections to the report, each in its state. */
void reactor_report(const struct reactor *reactor, struct report *report);

#endif
