/* SPDX-License-Identifier: MIT */
/* One request and its answer: what is decided from the head, what becomes of the body, when the answer may be sent. Part
 * of the session: only its files include this. */
#ifndef ECHOD_COMMON_SESSION_EXCHANGE_H
#define ECHOD_COMMON_SESSION_EXCHANGE_H

#include <assert.h>

#include "common/http/chunk_line.h"
#include "common/session/route.h"
#include "common/session/session_state.h"

/* Where in a request's body the next byte belongs. */
enum part {
    PART_LENGTH, /* a body of known length */
    PART_LINE,   /* a chunk's size line, the CRLF behind the chunk before it included */
    PART_DATA,   /* a chunk's data */
    PART_TRAILERS,
};

/* What an answer waits for before it goes on. */
enum pending {
    PENDING_NOTHING,
    PENDING_WAIT, /* exchange.wait_ms */
    PENDING_WORK, /* response.work */
};

/* An answer begins when its request is whole, or when this much of the body has come, whichever is first. Until then
 * an error replaces it. */
enum { EXCHANGE_BEGIN_AT = 64 * 1024 };

/* Made on the stack when a head is complete; moved to the heap if it outlives the pass. */
struct exchange {
    struct request request;
    struct span bad_head;          /* without `understood`: what has come of the head, or nothing */
    const struct handler *handler; /* NULL: the head decided on an error */
    uint64_t body_seen;            /* bytes of the request's body so far */
    uint64_t left;                 /* of the body, or of the chunk */
    uint64_t overhead;             /* bytes of chunked framing so far */
    uint64_t produced;             /* bytes of a produced body so far */
    uint64_t wait_ms;              /* with PENDING_WAIT: how long, from when it began */
    uint64_t step;                 /* of a paced body: how many pieces have begun */
    size_t head_length;            /* of the answer's head in the output */
    size_t used;                   /* bytes of the chunk-size line or trailer section so far */
    struct chunk_line line;        /* with PART_LINE */
    struct buffer *log_copy;       /* with the log on, once it outlives its head: extra fields and target */
    struct buffer *head;           /* with HANDLER_HOLDS: what the request's spans point to */
    struct buffer *body;
    struct buffer *trailers;
    uint8_t part;           /* enum part */
    uint8_t pending;        /* enum pending */
    bool body_ended;        /* the request is whole */
    bool late;              /* 64 KiB of the body are here, the answer waits before it begins */
    bool begun;             /* some of the answer may have been sent: errors cut it short */
    bool answers_body;      /* the answer has one: not for HEAD, 204, 205, 304 */
    bool echoes;            /* body bytes go to the output */
    bool has_common_fields; /* its answer's extra fields are there, and its id with the log on */
    bool understood;        /* with `has_common_fields`: the head; else `bad_head` is how it began */
    uint8_t id_length;      /* with the log on: of the id, which ends two bytes before response.extra does */
    struct response response;
};

/* One pass through a session, from session_enter to session_leave: what its functions share meanwhile. It lies in the
 * scratch memory of the context: not on the stack, where it would cost every request the guarding of a large frame. */
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

/* The head is in pass->exchange->request; `head` is the bytes its spans point to. Decides what the answer is. */
void exchange_begin(struct pass *pass, struct span head);
/* Bytes of the request's body, in order. */
void exchange_body(struct pass *pass, const char *data, size_t length);
/* The chunk of `size` bytes begins, or has ended. */
void exchange_chunk_begin(struct pass *pass, uint64_t size);
void exchange_chunk_end(struct pass *pass);
/* The request is whole. */
void exchange_request_complete(struct pass *pass);
/* 64 KiB of the body are here and the answer is to wait before it begins: no more of the body is taken until then. */
void exchange_wait_late(struct pass *pass);
/* The wait or the work that was pending is over. */
void exchange_resume(struct pass *pass);
/* The work that is pending will not be done: 503. */
void exchange_refuse_work(struct pass *pass);
/* context->undecided, 0 from now on if something follows that answer. */
size_t exchange_undecided(struct pass *pass);
/* Nothing was read behind it: it is the last. */
void exchange_decide(struct pass *pass);
/* More of a produced body, if there is room and it is time. */
void exchange_produce(struct pass *pass);
/* The request's end is in doubt or was not reached: answer so, if the answer has not begun, and close. */
void exchange_fail(struct pass *pass, unsigned status, const char *detail, ...)
    __attribute__((format(printf, 3, 4)));
/* The same for want of memory: 503. */
void exchange_fail_memory(struct pass *pass);
/* The same on a connection that is refused, whether its client has asked for something or not: 503. */
void exchange_fail_refused(struct pass *pass);
/* Frees what the exchange owns; a null one is fine. */
void exchange_deinit(struct exchange *exchange, struct budget budget);
/* An exchange for a pass that has none: what an error's answer needs of it; the head and exchange_begin make the rest. */
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

/* The fields that all answers have with --cors or the log, and the request's id. `understood`: the head was read, else only
 * how the request began is known. Where context->adds_common_fields, once for each exchange. */
void exchange_add_common_fields(struct pass *pass, bool understood);
/* With the log on: keeps what an exchange that outlives its head needs for its line. False if there is no memory for it. */
bool exchange_keep_log_copy(struct pass *pass);
/* Writes its line, if the log is on. `status` 0: it was lost before it was answered. */
void exchange_log(struct pass *pass, unsigned status, uint64_t bytes);
/* The same for an exchange that ends as it stands. */
void exchange_log_outcome(struct pass *pass);

/* Consumes bytes of the body; returns how many. */
size_t body_feed(struct pass *pass, const char *data, size_t length);
/* The parser's callbacks, for heads (pause at their end) and chunked bodies. */
extern const llhttp_settings_t body_parser_settings;

#endif
