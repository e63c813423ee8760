/* SPDX-License-Identifier: MIT */
/* The exchange: one request and its answer, from the complete head to the last byte of the answer. Part of the session: only
 * its files include this header. */
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
    PENDING_WAIT, /* exchange.wait_ms */
    PENDING_WORK, /* response.work */
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
    struct buffer *log_copy;       /* with the log on, once it outlives its head: extra fields and target */
    struct buffer *head;           /* with HANDLER_HOLDS: what the request's spans point to */
    struct buffer *body;
    struct buffer *trailers;
    uint8_t part;           /* enum part */
    uint8_t pending;        /* enum pending */
    bool body_ended;        /* the request is complete */
    bool late;              /* 64 KiB of the body have arrived; the answer waits before it begins */
    bool begun;             /* some of the answer may have been sent: errors cut it short */
    bool answers_body;      /* the answer has one: not for HEAD, 204, 205, 304 */
    bool echoes;            /* body bytes go to the output */
    bool has_common_fields; /* its answer's extra fields are there, and its id with the log on */
    bool understood;        /* with `has_common_fields`: the head was read; else there is `bad_head` */
    uint8_t id_length;      /* with the log on: of the id, which ends two bytes before response.extra does */
    struct response response;
};

/* What the functions of the session share during one pass, from session_enter to session_leave. It is in the scratch memory
 * of the context, not on the stack: there it would cost every request the protection of a large frame. */
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

/* Decides on the answer to pass->exchange->request, whose spans point to the bytes in `head`. */
void exchange_begin(struct pass *pass, struct span head);
/* Takes bytes of the request's body, in order. */
void exchange_body(struct pass *pass, const char *data, size_t length);
/* A chunk of `size` bytes begins; it has ended. */
void exchange_chunk_begin(struct pass *pass, uint64_t size);
void exchange_chunk_end(struct pass *pass);
/* The request is complete. */
void exchange_request_complete(struct pass *pass);
/* 64 KiB of the body have arrived, and the answer waits before it begins: until then no more of the body is taken. */
void exchange_wait_late(struct pass *pass);
/* The pending wait or work is over. */
void exchange_resume(struct pass *pass);
/* The pending work was rejected: answers 503. */
void exchange_refuse_work(struct pass *pass);
/* Returns context->undecided, after setting it to 0 if something follows that answer. */
size_t exchange_undecided(struct pass *pass);
/* Nothing was read after the undecided answer: it is the last one. */
void exchange_decide(struct pass *pass);
/* Produces more of a body, if there is room and its time has come. */
void exchange_produce(struct pass *pass);
/* The end of the request is unknown: answers with the error if no answer has begun, and closes. */
void exchange_fail(struct pass *pass, unsigned status, const char *detail, ...)
    __attribute__((format(printf, 3, 4)));
/* The same without memory for the request: 503. */
void exchange_fail_memory(struct pass *pass);
/* The same on a refused connection, whether or not its client has sent a request: 503. */
void exchange_fail_refused(struct pass *pass);
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

/* Adds the fields that all answers have with --cors or the log, and the request's id. `understood`: the head was read; else
 * only `bad_head` is known. With context->adds_common_fields, once for each exchange. */
void exchange_add_common_fields(struct pass *pass, bool understood);
/* With the log on: copies what the line of an exchange that outlives its head needs. False: no memory for it. */
bool exchange_keep_log_copy(struct pass *pass);
/* With the log on: writes the line of the exchange. `status` 0: its connection was lost before the answer began. */
void exchange_log(struct pass *pass, unsigned status, uint64_t bytes);
/* The same for an exchange that ends now, with the status and the bytes that it has. */
void exchange_log_outcome(struct pass *pass);

/* Consumes bytes of the body; returns how many it took. */
size_t body_feed(struct pass *pass, const char *data, size_t length);
/* The parser's callbacks, for heads (pause at their end) and chunked bodies. */
extern const llhttp_settings_t body_parser_settings;

#endif
