/* SPDX-License-Identifier: MIT */
/* One connection served with blocking calls from its first byte to its close, by the thread that calls. */
#ifndef ECHOD_SERVER_DRIVERS_BLOCKING_BLOCKING_H
#define ECHOD_SERVER_DRIVERS_BLOCKING_BLOCKING_H

#include <stdatomic.h>

#include "server/drivers/shared/access_log.h"
#include "server/net/accepted.h"
#include "server/drivers/shared/server.h"

/* Of virtual memory; what is touched is what requests and answers take, and given back in long waits inside a request. More
 * of an answer than fits goes to the heap. */
enum { BLOCKING_INPUT_SIZE = 32 * 1024, BLOCKING_SCRATCH_SIZE = 32 * 1024 };
/* What is read at once until a read fills it: most requests fit. */
enum { BLOCKING_FIRST_SIZE = 1024 };

/* What one connection needs. The session, a small request and the first bytes of an answer stand side by side, so that they
 * touch one page or two. */
struct blocking {
    struct server *server;
    const _Atomic bool *closing; /* the server drains: connections that are idle end */
    int fd;
    uint64_t
        poll_interval_ms; /* an idle connection looks at `closing` at least so often; 0: only when it is woken */
    bool
        linger_elsewhere; /* a lingering close is the caller's: blocking_serve leaves the socket open for it */
    bool yield_when_unserved; /* see struct context */
    uint64_t receive_ms;      /* the socket's receive timeout, or a part of it */
    uint64_t idle_since;      /* where that is less than the idle timeout */
    struct session session;
    struct context context;
    uint64_t since_ms; /* when the session's timer began */
    uint64_t alarm_us; /* with WANT_WAIT: when that is over */
    bool large;        /* the client sends much at once: reads go to `input` from now on */
    char first[BLOCKING_FIRST_SIZE];
    _Alignas(16) char scratch[BLOCKING_SCRATCH_SIZE];
    char input[BLOCKING_INPUT_SIZE];
    struct access_log_context log; /* untouched where the log is off */
    char log_text[ACCESS_LOG_THREAD_SIZE];
};

static inline void blocking_init(struct blocking *blocking, struct server *server,
                                 const _Atomic bool *closing)
{
    blocking->server = server;
    blocking->closing = closing;
    blocking->poll_interval_ms = 0;
    blocking->yield_when_unserved = false;
    blocking->linger_elsewhere = false;
}

/* Once the drain timeout is over it cuts off what is not idle; a signal makes it look then, whatever its counters show.
 *
 * While its counters show ACTIVITY_IDLE it waits for a request's first byte, where a signal (with a handler, without
 * SA_RESTART) makes it look at `closing`. One signal can come just too early: whoever wants it to look repeats it until
 * the connection is gone.
 *
 * Serves the connection (`refusing`: why it is only told that it is not served), counting in `counters`. Left to the
 * caller: to call blocking_leave, then to close the descriptor, so that who has seen the end finds the place free; and a
 * lingering close before that where it returns false (linger_elsewhere). The same memory may serve one connection after
 * another. */
bool blocking_serve(struct blocking *blocking, const struct accepted *accepted, struct counters *counters,
                    enum refusal refusing);

/* Whether the thread or process that serves with the counters is to be woken, to look at what has changed. */
static inline bool blocking_must_interrupt(const struct server *server, const struct counters *counters)
{
    enum activity activity = counters_activity(counters);
    return activity == ACTIVITY_IDLE ||
           (activity != ACTIVITY_NONE && scoreboard_cutting(server->service.scoreboard));
}

/* The lingering close that blocking_serve has left to the caller, done here after all. */
void blocking_linger(struct blocking *blocking);

/* Stops counting the connection that was served with the counters, which are not lent again before this returns. */
void blocking_leave(struct connection_count *count, struct counters *counters);

#endif
