/* SPDX-License-Identifier: MIT */
/* The exchange: one request and its answer, from the complete head to the last byte of the answer. Part of the session:
 * only its files include this header.
 *
 * Only the thread that drives the connection calls these functions. The bytes in `data` and `head` stay the caller's.
 * An error becomes an answer or closes the connection; only exchange_keep_log_copy returns one. */
#ifndef ECHOD_COMMON_SESSION_EXCHANGE_H
#define ECHOD_COMMON_SESSION_EXCHANGE_H

#include <assert.h>

#include "common/http/chunk_line.h"
#include "common/session/route.h"
#include "common/session/session_state.h"

/* Where in a request's body the next byte belongs. */
enum part {
    PART_LENGTH, /* a body of known length */
    PART_LINE,   /* a chunk-size line, with the CRLF that ends the chunk before it */
    PART_DATA,   /* a chunk's data */
    PART_TRAILERS,
};

/* What an answer waits for. */
enum pending {
    PENDING_NOTHING,
    PENDING_WAIT,  /* exchange.wait_ms */
    PENDING_WORK,  /* response.work */
    PENDING_STALL, /* nothing that the server does: the client is read, and what it sends is dropped */
};

/* An answer begins when its request is complete, or when this many bytes of the body have arrived, whichever is first.
 * Until then an error replaces it. */
enum { EXCHANGE_BEGIN_AT = 64 * 1024 };

/* Made in the memory of the pass when a head is complete; moved to the heap if it outlives the pass. */
struct exchange {
    struct request request;
    struct span bad_head;          /* without `understood`: the bytes of the head so far */
    const struct handler *handler; /* NULL: the head decided on an error */
    uint64_t body_seen;            /* bytes of the request's body so far */
    uint64_t left;                 /* of the body, or of the chunk */
    uint64_t overhead;             /* bytes of chunked framing so far */
    uint64_t produced;             /* bytes of a produced body so far */
    uint64_t wait_ms;              /* with PENDING_WAIT: the whole wait */
    uint64_t step;                 /* of a paced body: how many pieces have begun */
    size_t head_length;            /* of the answer's head in the output */
    size_t used;                   /* bytes of the chunk-size line or trailer section so far */
    struct chunk_line line;        /* with PART_LINE */
    struct buffer *log_copy; /* with the log on, once it outlives its head: extra fields, target, fields */
    struct buffer *head;     /* with HANDLER_HOLDS: what the request's spans point to */
    struct buffer *body;
    struct buffer *trailers;
    uint8_t part;           /* enum part */
    uint8_t pending;        /* enum pending */
    bool body_ended;        /* the request is complete */
    bool late;              /* 64 KiB of the body have arrived; the answer waits before it begins */
    bool begun;             /* some of the answer may have been sent: errors cut it short */
    bool answers_body;      /* the answer has one: not for HEAD, 204, 205, 304 */
    bool echoes;            /* body bytes go to the output */
    bool has_common_fields; /* `response.extra` is set; with the log on it includes the id */
    bool understood;        /* with `has_common_fields`: the head was read; otherwise `bad_head` is set */
    bool log_skipped;       /* with `has_common_fields`: the log has no line for it */
    uint8_t id_length;      /* with the log on: the length of the id; only two bytes of `extra` follow it */
    struct response response;
};

/* The state that the functions of the session share from pass_begin to pass_end. It is in the scratch memory of the
 * context: on the stack, every request would pay for the stack protection of a large frame. */
struct pass {
    struct session *session;
    struct context *context;
    struct exchange *exchange; /* NULL between requests; else &local or session->exchange */
    llhttp_t *parser;          /* &local_parser or session->parser */
    bool grow;                 /* parse on although the scratch memory is full */
    llhttp_t local_parser;
    struct exchange local;
};
static_assert(sizeof(struct pass) <= CONTEXT_PASS_SIZE, "a context keeps room for it");

/* ---- exchange.c: the request ---- */

/* Decides on the answer to pass->exchange->request, whose spans point to the bytes in `head`. */
void exchange_begin(struct pass *pass, struct span head);
/* Takes bytes of the request's body, in order. */
void exchange_body(struct pass *pass, const char *data, size_t length);
/* Begin a chunk of `size` bytes (0: the last chunk), and end it. The first checks the limit of the body. Both write the
 * framing if the body is echoed; exchange_request_complete writes that of the last chunk. */
void exchange_chunk_begin(struct pass *pass, uint64_t size);
void exchange_chunk_end(struct pass *pass);
/* Called when the request is complete: answers it, or first waits for the answer's delay or work. */
void exchange_request_complete(struct pass *pass);

/* ---- exchange_answer.c: the answer ---- */

/* Answers a request that has no body with a text, now. */
void exchange_answer_at_once(struct pass *pass);
/* Writes the answer's head and, unless it is echoed or produced, its body; not committed. */
void exchange_write(struct pass *pass);
/* Commits the bytes written so far: they may be sent, and no error can replace them any more. */
void exchange_commit(struct pass *pass);
/* Commits the answer, of which all but a produced body has been written. Then completes the exchange, or begins to
 * produce the body. Calls exchange_fail_memory instead if there was no memory. */
void exchange_answer(struct pass *pass);
/* Makes the answer wait before it begins or continues: for `wait_ms`, or for its work. */
void exchange_pend(struct pass *pass, enum pending pending, uint64_t wait_ms);
/* Makes the answer wait before it begins, because 64 KiB of the request's body have arrived. Until the wait is over, no
 * more of the body is consumed. */
void exchange_wait_late(struct pass *pass);
/* Continues the answer when the pending wait or work is over; `early`: a drain ends the wait. */
void exchange_resume(struct pass *pass, bool early);
/* Produces more of a body, if there is room and its time has come. */
void exchange_produce(struct pass *pass);
/* exchange_produce for CONTENT_EVENTS (exchange_events.c). */
void exchange_produce_events(struct pass *pass);
/* The answer is complete and committed: the exchange is over. */
void exchange_complete(struct pass *pass);
/* Ends the exchange without an answer. Must be called as soon as this is known, because the log needs the bytes of the
 * head, which may be gone at the end of the pass. */
void exchange_abandon(struct pass *pass);
/* For the trace: an exchange ends without exchange_complete. */
void exchange_trace_end(const struct session *session, const struct exchange *exchange);
/* Returns context->undecided, after setting it to 0 if something follows that answer. */
size_t exchange_undecided(struct pass *pass);
/* Makes the undecided answer the connection's last one. Called when nothing was read after it. */
void exchange_decide(struct pass *pass);

/* ---- exchange_abort.c: answers that go wrong on request (response.abort is set) ---- */

/* Takes the place of exchange_commit, when the answer would begin. */
void exchange_abort(struct pass *pass);
/* The same if the request expects an interim 100 and the fault comes instead of it. Returns false, having done nothing,
 * with any other fault. */
bool exchange_abort_expected(struct pass *pass);
/* exchange_body for such an answer. */
void exchange_abort_body(struct pass *pass, const char *data, size_t length);
/* Ends an answer that stalls; does nothing to any other. */
void exchange_end_stall(struct pass *pass);
/* Counts the faults of an answer that begins, or of the fault that takes its place. */
void exchange_count_faults(struct pass *pass);

/* Whether the answer of a pass stalls. */
static inline bool exchange_stalls(const struct pass *pass)
{
    return pass->exchange != NULL && pass->exchange->pending == PENDING_STALL;
}

/* ---- exchange_refusal.c: requests that are not served ---- */

/* Writes the response as it stands, as the last one of the connection. */
void exchange_write_last(struct pass *pass);
/* Answers with the error if no answer has begun, and closes the connection, because the end of the request is unknown.
 * Makes an exchange if the pass has none. `detail` is a printf format for one sentence. */
void exchange_fail(struct pass *pass, unsigned status, const char *detail, ...)
    __attribute__((format(printf, 3, 4)));
/* exchange_fail with a 503, because there is no memory for the request. */
void exchange_fail_memory(struct pass *pass);
/* exchange_fail with the 503 of a refused connection, even if its client has sent no request. */
void exchange_fail_refused(struct pass *pass);
/* Answers the request of a refused connection: a probe with its answer, all others with 503. */
void exchange_refuse(struct pass *pass);
/* The pending work was rejected: answers 503. */
void exchange_refuse_work(struct pass *pass);

/* ---- the exchange's memory ---- */

/* Frees what the exchange owns; takes NULL. */
void exchange_deinit(struct exchange *exchange, struct budget budget);
/* Makes an exchange for a pass that has none, with what the answer to an error needs; exchange_begin sets the rest. */
static inline void exchange_init(struct pass *pass)
{
    struct exchange *x = &pass->local;
    x->request.method = HTTP_GET;
    x->request.framing = FRAMING_NONE;
    x->request.minor_version = 1;
    x->request.keep_alive = true;
    x->request.refused = false;
    x->handler = NULL;
    x->log_copy = x->head = x->body = x->trailers = NULL;
    x->pending = PENDING_NOTHING;
    x->body_ended = x->late = x->begun = x->answers_body = x->echoes = x->has_common_fields = false;
    response_init(&x->response, pass->context->output.budget);
    pass->exchange = x;
}

/* Keeps the first RESPONSE_STORE_SIZE bytes of the request's target beyond the bytes of its head: in `response.store`, which holds
 * nothing else between passes, so that it costs no memory. So a debugger can name a request that waits (docs/debugging.md).
 * Before the bytes of the head go; may be called again. */
void exchange_keep_target(struct exchange *exchange);

/* ---- common_fields.c, exchange_log.c ---- */

/* Adds the fields that all answers have with --cors, --name or the log, including the request's id. `understood`: the head was
 * read; otherwise only `bad_head` is known. Called once for each exchange, if context->adds_common_fields is set. */
void exchange_add_common_fields(struct pass *pass, bool understood);
/* With the log on: copies the extra fields, the target and, if the log has them, the request's fields, because the
 * exchange outlives the bytes of its head and its log line needs them. The exchange owns the copy. Returns false if there is no memory or budget. */
bool exchange_keep_log_copy(struct pass *pass);
/* With the log on: writes the line of the exchange. `status` 0: the connection was lost before the answer began.
 * `bytes`: those of the answer's body. */
void exchange_log(struct pass *pass, unsigned status, uint64_t bytes);
/* exchange_log with the exchange's own status, 0 if its answer has not begun, and the bytes of the body so far. */
void exchange_log_outcome(struct pass *pass);

#endif
