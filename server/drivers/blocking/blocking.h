/* SPDX-License-Identifier: MIT */
/* Serves one connection with blocking calls, from its first byte to its close, in the calling thread. */
#ifndef ECHOD_SERVER_DRIVERS_BLOCKING_BLOCKING_H
#define ECHOD_SERVER_DRIVERS_BLOCKING_BLOCKING_H

#include <stdatomic.h>

#include "server/drivers/shared/access_log.h"
#include "server/net/accepted.h"
#include "server/drivers/shared/server.h"

/* Sizes in bytes of virtual memory. Only the pages that requests and answers use become resident; long waits within
 * a request release them. The part of an answer that does not fit goes to the heap. */
enum { BLOCKING_INPUT_SIZE = 32 * 1024, BLOCKING_SCRATCH_SIZE = 32 * 1024 };
/* The size of a read in bytes, until a read fills it: most requests fit. */
enum { BLOCKING_FIRST_SIZE = 1024 };

/* The memory of one connection. The session, a small request and the first bytes of an answer are adjacent, so that
 * they touch one or two pages. */
struct blocking {
    struct server *server;
    const _Atomic bool *closing; /* set when the server drains: idle connections end */
    int fd;
    uint64_t
        poll_interval_ms; /* an idle connection checks `closing` at this interval; 0: only when interrupted */
    uint64_t accepted_ms; /* when the next connection was accepted, by clock_ms; 0: just now */
    bool linger_elsewhere;    /* blocking_serve leaves lingering closes to its caller, with the socket open */
    bool yield_when_unserved; /* see struct context */
    uint64_t receive_ms;      /* the socket's receive timeout: the idle timeout or less */
    uint64_t idle_since;      /* in ms, if receive_ms is less than the idle timeout */
    struct session session;
    struct context context;
    uint64_t since_ms; /* when the session's timer began */
    uint64_t alarm_us; /* with WANT_WAIT: the end of the wait */
    bool large;        /* a read has filled `first`: reads go to `input` from now on */
    char first[BLOCKING_FIRST_SIZE];
    _Alignas(16) char scratch[BLOCKING_SCRATCH_SIZE];
    char input[BLOCKING_INPUT_SIZE];
    struct access_log_context log; /* unused if the log is off */
    char log_text[ACCESS_LOG_THREAD_SIZE];
};

/* Initialises `blocking` for blocking_serve; `server` and `closing` must outlive it. Afterwards the caller may set
 * `poll_interval_ms`, `accepted_ms`, `linger_elsewhere` and `yield_when_unserved`. Any thread. */
static inline void blocking_init(struct blocking *blocking, struct server *server,
                                 const _Atomic bool *closing)
{
    blocking->server = server;
    blocking->closing = closing;
    blocking->poll_interval_ms = 0;
    blocking->accepted_ms = 0;
    blocking->yield_when_unserved = false;
    blocking->linger_elsewhere = false;
}

/* Serves the connection `accepted`, counting in `counters`, until it is over. `refusing` is the reason if the
 * connection only gets a 503.
 *
 * While the counters show ACTIVITY_IDLE the thread waits for the first byte of a request; with ACTIVITY_READING or
 * ACTIVITY_WAITING it may wait for something that a drain ends, too. A signal (with a handler, without SA_RESTART) then
 * makes it check `closing`. The signal may arrive just before the wait, so the sender must
 * repeat it until the connection is gone. After the drain timeout a signal in any state makes the thread check, and cut
 * off a connection that is not idle.
 *
 * Returns false if the caller has to do the lingering close (linger_elsewhere). The caller then calls blocking_leave
 * and closes the descriptor, in this order, so that a client that sees the close can reconnect within the limit.
 * `blocking` may serve one connection after another. */
bool blocking_serve(struct blocking *blocking, const struct accepted *accepted, struct counters *counters,
                    enum refusal refusing);

/* Whether a signal must interrupt the thread or process that uses the counters, so that it checks for the drain. Any
 * thread. */
static inline bool blocking_must_interrupt(const struct server *server, const struct counters *counters)
{
    enum activity activity = counters_activity(counters);
    return activity == ACTIVITY_IDLE || activity == ACTIVITY_READING || activity == ACTIVITY_WAITING ||
           (activity != ACTIVITY_NONE && scoreboard_cutting(server->service.scoreboard));
}

/* Does the lingering close that blocking_serve has left to its caller, in the calling thread. */
void blocking_linger(struct blocking *blocking);

/* Stops counting the connection that was served with the counters, which must not be reused before this returns. Any
 * thread. */
void blocking_leave(struct connection_count *count, struct counters *counters);

#endif
