/* SPDX-License-Identifier: MIT */
/* An answer as handlers describe it, and its head on the wire. */
#ifndef ECHOD_COMMON_SESSION_RESPONSE_H
#define ECHOD_COMMON_SESSION_RESPONSE_H

#include "common/http/request.h"
#include "common/session/service.h"
#include "common/http/status.h"
#include "common/base/work.h"

enum content {
    CONTENT_TEXT,     /* `text`, or `content` if that is there */
    CONTENT_ECHO,     /* the request's body, framed as that is */
    CONTENT_PRODUCED, /* `length` bytes that the handler's `produce` makes as they are sent */
};

enum { RESPONSE_STORE_SIZE = 256 };

/* Begins as 200 with no text; a handler changes what differs. */
struct response {
    struct span content_type; /* static, or of the request's head; no field if empty */
    struct span text;         /* static, or of `store` */
    struct span allow;        /* static; no field if empty */
    struct span extra; /* field lines that all answers have, each with its CRLF; survives response_problem */
    struct buffer *fields;  /* further ones, which win over those of `extra`; freed with the answer */
    struct buffer *content; /* an owned body; freed with the answer */
    uint64_t length;        /* with CONTENT_PRODUCED */
    uint64_t pace_ms; /* with CONTENT_PRODUCED: spread evenly over this time; 0: as fast as it can be sent */
    uint64_t wait_ms; /* before the answer begins */
    struct work
        work; /* to be run once the request is whole; the handler's `complete` then makes the answer */
    struct budget budget; /* pays for `fields` and `content` */
    unsigned status;
    uint8_t body;     /* enum content */
    bool close;       /* say `Connection: close` and do so */
    bool sandbox;     /* send X-Content-Type-Options and Content-Security-Policy: what comes is not ours */
    bool nosniff;     /* send X-Content-Type-Options only */
    bool retry_after; /* send Retry-After: 1 */
    bool problem;     /* an error: the request was understood, its answer is this */
    bool failed;      /* no memory or no budget for it: 503 and close */
    char store[RESPONSE_STORE_SIZE];
};

static inline void response_init(struct response *response, struct budget budget)
{
    /* The rest is written before it is read. */
    response->content_type = response->text = response->allow = response->extra = SPAN_LITERAL("");
    response->fields = response->content = NULL;
    response->pace_ms = response->wait_ms = 0;
    response->work.run = NULL;
    response->budget = budget;
    response->status = STATUS_OK;
    response->body = CONTENT_TEXT;
    response->close = response->sandbox = response->nosniff = response->retry_after = false;
    response->problem = response->failed = false;
}
/* Frees what it owns. */
void response_deinit(struct response *response);

/* Makes it an error as application/problem+json (RFC 9457). `detail` is a printf format for one sentence; quotes,
 * backslashes and control bytes in the outcome are replaced. Any thread. */
void response_problem(struct response *response, unsigned status, const char *detail, ...)
    __attribute__((format(printf, 3, 4)));

/* With CONTENT_TEXT: the body. */
static inline struct span response_text(const struct response *response)
{
    return response->content == NULL ? response->text : buffer_span(response->content);
}

/* How the body is delimited on the wire. */
struct delimiting {
    uint64_t length; /* with FRAMING_LENGTH */
    uint8_t framing; /* enum framing; NONE: no field at all */
    bool body;       /* whether body bytes follow: not for HEAD, 204, 205 and 304 (RFC 9110, 6.4.1) */
};

/* Writes status line and fields, the Connection field last if there is one: none tells a 1.1 client that the connection
 * persists (RFC 9112, 9.3). `date` is CLOCK_DATE_LENGTH bytes. Returns how the body is delimited. */
struct delimiting response_write_head(struct output *output, const struct response *response,
                                      const struct request *request, const char *date);

#endif
