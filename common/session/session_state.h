/* SPDX-License-Identifier: MIT */
/* The members of a session, and its states. Drivers embed the struct and may read members that are not private; only
 * the files of the session change members. Only the thread that drives the connection calls the functions, unless
 * stated otherwise. */
#ifndef ECHOD_COMMON_SESSION_SESSION_STATE_H
#define ECHOD_COMMON_SESSION_SESSION_STATE_H

#include <assert.h>

#include "common/base/buffer.h"
#include "common/http/request.h"

/* After SIGTERM, the bytes of complete requests that a connection still gets served. */
enum { SESSION_DRAINED_MAX = 1024 * 1024 };

/* What a session does. These are all transitions; session_set_state asserts them, and a unit test compares this list with
 * the table in session_state.c.
 *
 *     PROXY -> START             the header of the PROXY protocol is complete
 *     PROXY -> CLOSING           it is malformed or late, or the connection ends without it
 *     START -> HEAD              the first byte of a request arrived
 *     START -> CLOSING           the client, a timeout or the drain ends the connection; or an error between requests
 *     HEAD -> REFUSED_LINE       llhttp refused the request line
 *     HEAD -> BODY               the head is complete
 *     HEAD -> START              the answer was complete at once; or there was no memory for the head
 *     HEAD -> CLOSING            an error, or an answer that closes
 *     REFUSED_LINE -> START      there was no memory for the line
 *     REFUSED_LINE -> CLOSING    the error is known
 *     BODY -> ANSWER             the request is complete but its answer is not; or the answer waits before it begins
 *     BODY -> START              request and answer are complete
 *     BODY -> CLOSING            an error, or an answer that closes
 *     ANSWER -> ANSWER           the answer waits again or stalls, or its body is produced
 *     ANSWER -> BODY             the wait is over, and the rest of the request is read
 *     ANSWER -> START            the answer is complete
 *     ANSWER -> CLOSING          an error, or an answer that closes
 *     CLOSING -> CLOSING         a second reason to close
 */
enum session_state {
    STATE_PROXY,        /* before the header of the PROXY protocol, or in it */
    STATE_START,        /* between requests */
    STATE_HEAD,         /* in a request's head */
    STATE_REFUSED_LINE, /* in a malformed request line, before the error is known */
    STATE_BODY,         /* in a request's body */
    STATE_ANSWER,       /* the answer is in progress: no input is consumed */
    STATE_CLOSING,      /* the last answer is complete: input is dropped */
};

enum close_mode {
    CLOSE_NOW,       /* every byte read is answered: close(2) */
    CLOSE_LINGERING, /* bytes may still arrive: a lingering close (RFC 9112, 9.6) */
    CLOSE_RESET,     /* the client asked for a reset: transport_reset, then close(2) */
    CLOSE_ABORT,     /* the connection is of no use: close at once */
};

/* Input that could not be kept gets a 503 once the answer before it is complete; nothing more is read. */
enum input_dropped {
    INPUT_KEPT,
    INPUT_DROPPED,
    INPUT_DROPPED_HEAD, /* the dropped input begins with a HEAD request, whose answer has no body */
};

/* The timeout of the service that is running. */
enum timer {
    TIMER_NONE, /* a handler waits or works */
    TIMER_IDLE, /* between requests */
    TIMER_HEADER, /* since the first byte of a request with an incomplete head; of a PROXY header, since the accept */
    TIMER_BODY, /* since the last progress of a request body or of an answer, or since it stalls */
};

struct exchange;

struct session {
    /* While a head or a chunked body is incomplete between passes; else NULL, the pass has its own. */
    llhttp_t *parser;
    struct buffer *in;         /* bytes read but not consumed: part of a head, or pipelined requests */
    struct buffer *out;        /* unsent answers */
    struct exchange *exchange; /* the request in progress, once it outlives a pass */
    /* When the present request began, if it outlives a pass; else 0: a request answered in one pass costs no clock. */
    uint64_t started_us;
    uint64_t number;      /* of the connection */
    size_t out_committed; /* bytes of `out` that may be sent */
    uint32_t head_fed;    /* bytes of the present head that the parser has seen */
    uint32_t unread;      /* bytes consumed since the output was last empty */
    uint32_t requests;    /* heads read to their end */
    uint32_t drained;     /* bytes of requests served since the server drains */
    struct peer peer;
    uint8_t state;        /* enum session_state */
    uint8_t close_mode;   /* enum close_mode */
    uint8_t timer;        /* enum timer */
    uint8_t empty_lines;  /* before the request that is to come */
    bool wait_restarted;  /* private: see session_wait_take */
    bool timer_restarted; /* private: see session_timer_take */
    bool line_read;       /* the request line of the present head has been judged */
    bool head_blanks;     /* blanks follow that the parser must not see; see bad_head_blanks_skip */
    bool ended;           /* the peer has shut down its sending side */
    uint8_t refusing; /* enum refusal: the reason for a 503 to every request but a probe, or REFUSAL_NOT */
    /* enum input_dropped: whether input after the present or after unsent answers could not be kept. */
    uint8_t input_dropped;
};

/* Whether a session in the state `from` may change to the state `to`. Any thread. */
bool session_state_may_follow(enum session_state from, enum session_state to);

/* While the server drains: counts `bytes` of a request that is served. */
void session_count_drained(struct session *session, uint64_t bytes);

/* The only place where a session's state changes. */
static inline void session_set_state(struct session *session, enum session_state state)
{
    assert(session_state_may_follow((enum session_state)session->state, state));
    session->state = (uint8_t)state;
}

/* Ends the session: no more input is served. The driver closes the connection as `close_mode` says, once the
 * output has been sent, or at once with CLOSE_ABORT. */
static inline void session_close(struct session *session, enum close_mode close_mode)
{
    session_set_state(session, STATE_CLOSING);
    session->close_mode = (uint8_t)close_mode;
}

/* The timeout that runs from the end of this pass on (session_wants.c). */
enum timer session_timer(const struct session *session);

#endif
