/* SPDX-License-Identifier: MIT */
/* HTTP/1 without I/O: the protocol state of one connection as a value. The driver feeds it the bytes read; the session
 * puts answers into the context's output and says what it wants next. It uses no socket, lock or thread, and only the
 * clock of the context.
 *
 * A driver brackets each pass with session_enter and session_leave, with any context, but not with two at once:
 *
 *     session_enter(s, context);
 *     session_feed(s, context, bytes, n)  or  session_eof, session_timeout, session_resume
 *     while (session_undecided(s, context))
 *         read once without waiting; session_feed or session_decide
 *     while ((pending = session_output(s, context)).length > 0 && send(pending) gave k > 0)
 *         session_sent(s, context, k);     // may add output, also undecided: produced bodies, pipelined requests
 *     session_leave(s, context);           // keeps unsent output on the heap
 *     act on session_wants(s, context)
 *
 * Only the thread that drives the connection may call these functions; it may change between passes. */
#ifndef ECHOD_COMMON_SESSION_SESSION_H
#define ECHOD_COMMON_SESSION_SESSION_H

#include "common/base/work.h"
#include "common/session/service.h"
#include "common/session/session_state.h"

/* A client that writes this many bytes before it reads must not stall while the budget lasts. */
enum { SESSION_UNREAD_MAX = 1024 * 1024 };
/* The scratch memory of a context holds at least 64 KiB of an answer and its head. */
enum { SESSION_SCRATCH_MIN = 96 * 1024 };

/* What a session wants. Only these combinations of bits occur:
 *
 *     READ                 nothing is unsent and no handler waits or works; also while an answer stalls
 *     READ | WRITE         output is unsent; the client may continue to write before it reads
 *     WRITE                the same, but the client has sent its last byte or SESSION_UNREAD_MAX bytes, or the
 *                          budget is short; or the last answer is complete
 *     WAIT                 a handler waits and nothing is unsent; the session is not read
 *     READ | WRITE | WAIT  a handler waits while answers before its own are unsent
 *     WRITE | WAIT         the same, and the session is not read
 *     WORK                 a handler works and nothing is unsent; the session is not read
 *     CLOSE                the session is over
 *
 * Output that a driver has taken and still holds (context.holds_output) is unsent, too.
 * WORK is wanted once all output before it has been sent. The driver does whichever of READ, WRITE and WAIT is
 * possible first. The session's timer runs in all states: with WRITE | WAIT both can expire. */
enum want {
    WANT_READ = 1,  /* read: then session_feed, or session_eof at the end */
    WANT_WRITE = 2, /* send the output */
    WANT_CLOSE = 4, /* close the connection as session_close_mode says */
    WANT_WAIT = 8,  /* session_resume after session_wait_ms */
    WANT_WORK = 16, /* run session_work in a thread that may block or compute; then session_resume */
};

/* Initialises the session of a new connection; allocates nothing. `refusing` is REFUSAL_NOT, or the reason if the
 * connection only gets a 503. */
void session_init(struct session *session, uint64_t number, const struct peer *peer, enum refusal refusing);
/* With the log on: writes the line of a request in progress when its connection ends early. session_deinit must
 * follow. */
void session_log_abandoned(struct session *session, struct context *context);
/* For a session that is not idle and that the server cuts off. With the log on: writes the line of its request, even
 * if the head is incomplete. session_deinit must follow. */
void session_cut_off(struct session *session, struct context *context);
/* Frees the memory of the session; `budget` is that of any context. */
void session_deinit(struct session *session, struct budget budget);

/* Begins a pass. */
void session_enter(struct session *session, struct context *context);
/* Ends a pass: memory of the context that the session still needs is copied to the heap. */
void session_leave(struct session *session, struct context *context);

/* Takes all of `data`: parses or copies it. Called while the session wants READ. A driver that has read bytes although the
 * session did not want them, and cannot keep them, may pass them, too, unless `input_dropped` says that bytes before them are
 * missing. */
void session_feed(struct session *session, struct context *context, const char *data, size_t length);
/* The same through a copy, for reads off the path of a plain request: session_feed keeps a single caller, which
 * inlines it. */
void session_feed_kept(struct session *session, struct context *context, const char *data, size_t length);
/* The peer has shut down its sending side (FIN); requests that arrived before are still answered. */
void session_eof(struct session *session, struct context *context);
/* The timer in `timer` has expired; or a refused client shall get its 503 without a request. */
void session_timeout(struct session *session, struct context *context);
/* The server drains: a session for which session_drainable is true ends now. Any other is left alone: exchange_commit
 * decides on its last answer. */
void session_drain(struct session *session, struct context *context);
/* The wanted wait or work is over. */
void session_resume(struct session *session, struct context *context);
/* The wanted work was rejected: the request gets a 503. */
void session_refuse_work(struct session *session, struct context *context);

/* During a drain: returns a number that identifies the undecided answer in the output, that is, the answer that may be
 * the connection's last one; 0 if there is none. Before the driver sends that answer, the driver reads the socket once
 * without waiting and feeds the bytes to the session, which may add another undecided answer. If the same answer is
 * still undecided after that, the driver calls session_decide. */
size_t session_undecided_now(struct session *session, struct context *context);
static inline size_t session_undecided(struct session *session, struct context *context)
{
    return context->undecided == 0 ? 0 : session_undecided_now(session, context);
}
/* Makes the undecided answer the last one: it says `Connection: close`. */
void session_decide(struct session *session, struct context *context);

/* Returns the bytes to send now, contiguous; empty: none. Valid until the next call for this session. */
struct span session_output(const struct session *session, const struct context *context);
/* The first `length` bytes of session_output have been sent. */
void session_sent(struct session *session, struct context *context, size_t length);

/* Returns a set of enum want. After session_leave. */
unsigned session_wants(const struct session *session, const struct context *context);
/* Whether `timer` has restarted since the last call: its timeout runs from now on. */
static inline bool session_timer_take(struct session *session)
{
    bool restarted = session->timer_restarted;
    session->timer_restarted = false;
    return restarted;
}
/* With WANT_WAIT: whether a wait has begun since the last call: it ends session_wait_ms from now. */
static inline bool session_wait_take(struct session *session)
{
    bool restarted = session->wait_restarted;
    session->wait_restarted = false;
    return restarted;
}
/* With WANT_WAIT: the whole wait in milliseconds. */
uint64_t session_wait_ms(const struct session *session);
/* With WANT_WORK: the work to run, owned by the session. Nobody may use the session until session_resume, or
 * session_deinit after the work has run. */
struct work *session_work(struct session *session);
/* With WANT_CLOSE: how to close. */
static inline enum close_mode session_close_mode(const struct session *session)
{
    return (enum close_mode)session->close_mode;
}
/* Whether no complete head has arrived since the last answer. */
static inline bool session_unasked(const struct session *session)
{
    return session->timer == TIMER_IDLE || session->timer == TIMER_HEADER;
}
/* Whether the session is between requests, with nothing read, unanswered or unsent. */
bool session_idle(const struct session *session);
/* Whether session_drain ends the session now: it is idle, its answer stalls, or it waits for the next event of a stream. */
bool session_drainable(const struct session *session);

#endif
