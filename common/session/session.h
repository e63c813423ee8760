/* SPDX-License-Identifier: MIT */
/* HTTP/1 without I/O: the protocol state of one connection as a value. It is given the bytes that were read, puts answer
 * bytes into the context's output, and says what it wants next. It touches no socket, clock, lock or thread.
 *
 * A driver brackets each pass with session_enter and session_leave, on any context (not two at once):
 *
 *     session_enter(s, context);
 *     session_feed(s, context, bytes, n)  or  session_eof, session_timeout, session_resume
 *     while (session_undecided(s, context))
 *         read once without waiting; session_feed or session_decide
 *     while ((unsent = session_output(s, context)).length > 0 && send(unsent) gave k > 0)
 *         session_sent(s, context, k);     // may make more output, also undecided: bodies that are produced, pipelined requests
 *     session_leave(s, context);           // what is unsent is kept on the heap
 *     act on session_wants(s, context)
 *
 * For the durations of requests it sets context->now_us before it enters a session that has started_us, and started_us after
 * it has left one that is not idle and has none: a request that is answered in one pass costs no clock. With context->log, whose
 * functions are the driver's, it sets context->now_us always.
 *
 * All functions belong to the thread that drives the connection; it may change between passes. */
#ifndef ECHOD_COMMON_SESSION_SESSION_H
#define ECHOD_COMMON_SESSION_SESSION_H

#include "common/http/request.h"
#include "common/session/service.h"
#include "common/base/work.h"

/* A client that writes this much before it reads anything must not stall, while the budget lasts. */
enum { SESSION_UNREAD_MAX = 1024 * 1024 };
/* Behind the signal that ends the server so much of what a connection has sent is served, in whole requests. */
enum { SESSION_DRAINED_MAX = 1024 * 1024 };
/* The scratch memory of a context holds at least an answer begun late (64 KiB) and its head. */
enum { SESSION_SCRATCH_MIN = 96 * 1024 };

/* What a session wants; bits, of which these come together and no others:
 *
 *     READ                 nothing is unsent and no handler waits or works
 *     READ | WRITE         output is unsent; the client may go on writing before it reads
 *     WRITE                the same, but the client has sent its last byte or SESSION_UNREAD_MAX, or the budget is tight;
 *                          or the last answer is made
 *     WAIT                 a handler waits; nothing is unsent. Not reading meanwhile
 *     READ | WRITE | WAIT  a handler waits while answers before its own are unsent
 *     WRITE | WAIT         the same, and no more is read
 *     WORK                 a handler works; nothing is unsent. Not reading meanwhile
 *     CLOSE                the session is over
 *
 * Work comes after output: it is wanted when everything before it has been sent. The driver does whichever of READ,
 * WRITE and WAIT is possible first. The session's timer runs beside all of them: with WRITE | WAIT both can run out. */
enum want {
    WANT_READ = 1,  /* more bytes: session_feed, or session_eof at their end */
    WANT_WRITE = 2, /* its output sent */
    WANT_CLOSE = 4, /* close the connection as session_close_mode says */
    WANT_WAIT = 8,  /* session_resume after session_wait_ms */
    WANT_WORK = 16, /* session_work's run() in a thread that may block or compute; then session_resume */
};

enum close_mode {
    CLOSE_NOW,       /* all that was read was answered: close(2) */
    CLOSE_LINGERING, /* bytes may still come: shut down the sending side, drain for a bounded time, then close */
    CLOSE_ABORT,     /* give up: close at once */
};

/* What could not be kept is answered with 503 once the answer before it is whole, and nothing is read any more. */
enum input_dropped {
    INPUT_KEPT,
    INPUT_DROPPED,
    INPUT_DROPPED_HEAD, /* what was dropped begins with a HEAD request, whose answer has no body */
};

/* Which of the service's timeouts runs. */
enum timer {
    TIMER_NONE,   /* a handler waits or works */
    TIMER_IDLE,   /* between requests */
    TIMER_HEADER, /* since the first byte of a request whose head is not complete */
    TIMER_BODY,   /* since the last progress of a request's body or of an answer */
};

struct exchange;

struct session {
    llhttp_t *
        parser; /* while a head or a chunked body is incomplete between passes; else NULL, the pass has its own */
    struct buffer *in;  /* bytes read but not consumed: part of a head, or what waits behind an answer */
    struct buffer *out; /* answers not sent */
    struct exchange *exchange; /* the request in progress, once it outlives a pass */
    uint64_t
        started_us; /* when the present request began, if it outlives a pass; set by the driver; 0: not yet */
    uint64_t number;      /* of the connection */
    size_t out_committed; /* bytes of `out` that may be sent */
    uint32_t head_fed;    /* bytes of the present head that the parser has seen */
    uint32_t unread;      /* bytes consumed since the output was last empty */
    uint32_t requests;    /* heads read to their end */
    uint32_t drained;     /* bytes of requests served since the server drains */
    struct peer peer;
    uint8_t state;        /* enum state */
    uint8_t close_mode;   /* enum close_mode */
    uint8_t timer;        /* enum timer */
    uint8_t empty_lines;  /* before the request that is to come */
    bool wait_restarted;  /* set when a wait begins; the driver clears it when it has set its alarm */
    bool timer_restarted; /* set when `timer` begins anew; the driver clears it when it has taken the time */
    bool line_read;       /* the request line of the present head was judged */
    bool head_blanks;     /* blanks follow that are not for the parser; see bad_head_blanks_skip */
    bool ended;           /* the peer has sent its last byte */
    uint8_t refusing;     /* enum refusal: why every request but /healthz gets 503, or not */
    /* enum input_dropped: bytes behind the present answer, or behind unsent ones, could not be kept. */
    uint8_t input_dropped;
};

/* A session for a new connection; `refusing` says why, where it is only to be told that it is not served. Allocates
 * nothing. */
void session_init(struct session *session, uint64_t number, const struct peer *peer, enum refusal refusing);
/* With the log on, when a connection ends that may be in a request: writes that one's line. Then session_deinit. */
void session_log_abandoned(struct session *session, struct context *context);
/* The server gives up a session that is not idle. With the log on: writes the line of its request, also of one whose
 * head is not complete. Then session_deinit. */
void session_cut_off(struct session *session, struct context *context);
/* Frees what it holds; `budget` is that of any context. */
void session_deinit(struct session *session, struct budget budget);

void session_enter(struct session *session, struct context *context);
void session_leave(struct session *session, struct context *context);

/* All of `data` is taken: parsed, or copied. Only while WANT_READ. */
void session_feed(struct session *session, struct context *context, const char *data, size_t length);
/* The same, by way of a copy. For reads off the path of a plain request: with one caller session_feed is inlined there. */
void session_feed_kept(struct session *session, struct context *context, const char *data, size_t length);
/* The peer has shut down its sending side (FIN): what came before is still answered. */
void session_eof(struct session *session, struct context *context);
/* The timer named by `timer` has run out; or who is refused shall be told so without having asked. */
void session_timeout(struct session *session, struct context *context);
/* The server drains: an idle session ends now, others with their present answer. */
void session_drain(struct session *session, struct context *context);
/* The wait or the work that was wanted is over. */
void session_resume(struct session *session, struct context *context);
/* The work that is wanted cannot be done now: it is answered with 503. */
void session_refuse_work(struct session *session, struct context *context);

/* The server drains, and nothing is known to stand behind the last answer in the output. Before it is sent the driver
 * reads the socket once without waiting. What came it feeds, which may put another answer behind that one, undecided in
 * its turn; if the same is undecided still it calls session_decide: the answer then says `Connection: close`. Returns
 * which answer that is, 0: none. */
size_t session_undecided_now(struct session *session, struct context *context);
static inline size_t session_undecided(struct session *session, struct context *context)
{
    return context->undecided == 0 ? 0 : session_undecided_now(session, context);
}
void session_decide(struct session *session, struct context *context);

/* What is to be sent now, contiguous; empty if nothing is. */
struct span session_output(const struct session *session, const struct context *context);
void session_sent(struct session *session, struct context *context, size_t length);

/* A set of enum want, after session_leave. */
unsigned session_wants(const struct session *session, const struct context *context);
/* With WANT_WAIT: how long, from the moment at which `wait_restarted` was set. */
uint64_t session_wait_ms(const struct session *session);
/* With WANT_WORK: what to run. Until session_resume, or session_deinit after it has run, the session is left alone. */
struct work *session_work(struct session *session);
/* With WANT_CLOSE: how. */
static inline enum close_mode session_close_mode(const struct session *session)
{
    return (enum close_mode)session->close_mode;
}
/* No request's head has come to its end since the last answer. */
static inline bool session_unasked(const struct session *session)
{
    return session->timer == TIMER_IDLE || session->timer == TIMER_HEADER;
}
/* Between requests, with nothing read, unanswered or unsent. */
bool session_idle(const struct session *session);

#endif
