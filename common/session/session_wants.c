/* SPDX-License-Identifier: MIT */
/* What a session asks of its driver: bytes, room, time, work, or the end. */
#include "common/session/session.h"

#include <stdlib.h>

#include "common/session/exchange/exchange.h"
#include "common/base/compiler.h"

bool session_idle(const struct session *s)
{
    return s->state <= STATE_START && s->in == NULL && s->out == NULL;
}

bool session_drainable(const struct session *s)
{
    const struct exchange *x = s->exchange;
    return session_idle(s) || (s->state == STATE_ANSWER && x != NULL &&
                               (x->pending == PENDING_STALL || (x->pending == PENDING_WAIT && x->begun &&
                                                                x->response.body == CONTENT_EVENTS)));
}

uint64_t session_wait_ms(const struct session *s)
{
    return s->exchange->wait_ms;
}

struct work *session_work(struct session *s)
{
    return &s->exchange->response.work;
}

struct span session_output(const struct session *s, const struct context *context)
{
    return s->close_mode == CLOSE_ABORT ? SPAN_LITERAL("") : output_unsent(&context->output);
}

static enum pending session_pending(const struct session *s)
{
    return s->state == STATE_ANSWER && s->exchange != NULL ? (enum pending)s->exchange->pending
                                                           : PENDING_NOTHING;
}

enum timer session_timer(const struct session *s)
{
    enum pending pending = session_pending(s);
    if (s->out_committed == 0 && (pending == PENDING_WAIT || pending == PENDING_WORK)) {
        return TIMER_NONE;
    }
    if (s->out_committed > 0 || s->state == STATE_BODY || s->state == STATE_ANSWER) {
        return TIMER_BODY;
    }
    return s->state == STATE_START && s->in == NULL ? TIMER_IDLE : TIMER_HEADER;
}

/* Whether the session may read more input although answers are unsent. */
static bool session_may_read(const struct session *s, const struct context *context)
{
    return !s->ended && s->input_dropped == INPUT_KEPT &&
           s->unread + buffer_length(s->in) < SESSION_UNREAD_MAX && !budget_tight(context->output.budget);
}

/* The table in session.h. */
static NOINLINE unsigned session_wants_more(const struct session *s, const struct context *context)
{
    bool unsent = s->out_committed > 0 || context->holds_output;
    enum pending pending = session_pending(s);
    if (s->state == STATE_CLOSING) {
        return unsent && s->close_mode != CLOSE_ABORT ? WANT_WRITE : WANT_CLOSE;
    }
    if (unsent) {
        unsigned want = WANT_WRITE | (pending == PENDING_WAIT ? WANT_WAIT : 0);
        return session_may_read(s, context) ? want | WANT_READ : want;
    }
    switch (pending) {
    case PENDING_NOTHING:
    case PENDING_STALL: return WANT_READ;
    case PENDING_WAIT: return WANT_WAIT;
    case PENDING_WORK: return WANT_WORK;
    }
    abort();
}

unsigned session_wants(const struct session *s, const struct context *context)
{
    return likely(session_idle(s) && !s->ended) ? (unsigned)WANT_READ : session_wants_more(s, context);
}
