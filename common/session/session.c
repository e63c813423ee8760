/* SPDX-License-Identifier: MIT */
/* The session's states and what moves them:
 *
 *                  first byte            head complete           request whole, answer not
 *     START ───────────────────▶ HEAD ──────────────────▶ BODY ─────────────────────────▶ ANSWER
 *       ▲                          │ llhttp refuses         │ request whole                 │
 *       │                          ▼ the line               │                               │ answer whole
 *       │                    REFUSED_LINE                   │                               │
 *       └──────────────────────────┼────────────────────────┴───────────────────────────────┘
 *                                  │ error, or an answer that closes, from any state
 *                                  ▼
 *                               CLOSING
 *
 * Limits and syntax are judged in the order of the bytes: the parser is never given a byte behind a limit. */
#include "common/session/session.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "common/session/bad_head.h"
#include "common/session/exchange.h"
#include "common/http/head.h"
#include "common/base/compiler.h"

enum {
    SCRATCH_LOW = 8 * 1024, /* less room than this: send what there is before parsing on */
};

void session_init(struct session *s, uint64_t number, const struct peer *peer, enum refusal refusing)
{
    *s = (struct session){.number = number,
                          .peer = *peer,
                          .refusing = (uint8_t)refusing,
                          .timer = TIMER_IDLE,
                          .timer_restarted = true};
}

static void session_drop_exchange(struct session *s, struct budget budget)
{
    if (s->exchange != NULL) {
        exchange_release(s->exchange, budget);
        budget_free(budget, s->exchange, sizeof *s->exchange);
        s->exchange = NULL;
    }
}

static void session_drop_parser(struct session *s, struct budget budget)
{
    if (s->parser != NULL) {
        budget_free(budget, s->parser, sizeof *s->parser);
        s->parser = NULL;
    }
}

COLD void session_deinit(struct session *s, struct budget budget)
{
    session_drop_exchange(s, budget);
    session_drop_parser(s, budget);
    buffer_free(&s->in, budget);
    buffer_free(&s->out, budget);
}

/* ---- turns ---- */

static ALWAYS_INLINE struct turn *turn_begin(struct session *s, struct context *context)
{
    struct turn *t = context->turn;
    t->session = s;
    t->context = context;
    t->exchange = s->exchange;
    t->parser = s->parser == NULL ? &t->local_parser : s->parser;
    t->grow = false;
    return t;
}

/* An answer that has begun is promised: there can be no 503 in its place. */
static enum budget_need turn_need(const struct turn *t)
{
    return t->exchange != NULL && t->exchange->begun ? BUDGET_MUST_KEEP : BUDGET_MAY_REFUSE;
}

/* An exchange that goes on moves to the heap; one that is over is freed. */
static COLD void turn_end_exchange(struct turn *t)
{
    struct session *s = t->session;
    struct budget budget = t->context->output.budget;
    if (t->exchange != NULL && s->state == STATE_CLOSING) {
        exchange_log_end(t);
        if (t->exchange == &t->local) {
            exchange_release(t->exchange, budget);
        }
        t->exchange = NULL;
    }
    if (t->exchange != NULL && t->exchange == s->exchange) {
        return;
    }
    session_drop_exchange(s, budget);
    if (t->exchange == NULL) {
        return;
    }
    s->exchange = budget_copy(budget, &t->local, sizeof t->local, turn_need(t));
    if (s->exchange != NULL) {
        return;
    }
    exchange_fail_memory(t);
    if (t->exchange != NULL) {
        exchange_log_end(t);
    }
    exchange_release(t->exchange, budget);
}

/* A parser in the middle of a head or of chunks moves to the heap; one that is done is freed. */
static COLD void turn_end_parser(struct turn *t)
{
    struct session *s = t->session;
    struct budget budget = t->context->output.budget;
    const struct exchange *x = t->exchange;
    bool in_chunks =
        s->state != STATE_CLOSING && x != NULL && !x->body_ended && x->request.framing == FRAMING_CHUNKED;
    if (s->state != STATE_HEAD && !in_chunks) {
        session_drop_parser(s, budget);
        return;
    }
    if (s->parser != NULL) {
        return;
    }
    s->parser = budget_copy(budget, &t->local_parser, sizeof t->local_parser, turn_need(t));
    if (s->parser == NULL) {
        exchange_fail_memory(t);
    }
}

static ALWAYS_INLINE void turn_end(struct turn *t)
{
    struct session *s = t->session;
    if (unlikely(s->state != STATE_START || s->parser != NULL)) {
        turn_end_parser(t);
    }
    if (unlikely(t->exchange != NULL || s->exchange != NULL)) {
        turn_end_exchange(t);
    }
}

/* ---- heads ---- */

/* The line in the usual form or in any other; its length. */
static ALWAYS_INLINE size_t head_read_line(struct span head, struct request *request, struct verdict *verdict)
{
    size_t line = request_line_read_usual(head, request);
    if (line == 0) {
        *verdict = request_line_read(head, false, request, &line);
    }
    return line;
}

static NOINLINE size_t head_complete(struct turn *t, struct span head)
{
    exchange_init(t);
    struct request *request = &t->exchange->request;
    struct verdict verdict = {STATUS_OK, ""};
    size_t line = head_read_line(head, request, &verdict);
    const char *end = NULL;
    if (verdict.status == STATUS_OK) {
        verdict = head_read((struct span){.data = head.data + line, .length = head.length - line}, t->parser,
                            request, &end);
    }
    if (verdict.status != STATUS_OK) {
        broken_head_fail(t, head, verdict);
        return head.length;
    }
    assert(end == llhttp_get_error_pos(t->parser));
    exchange_begin(t, span_between(head.data, end));
    return (size_t)(end - head.data);
}

/* Where llhttp has not come to the head's end: whether it does so when it goes on behind blanks that it refuses, and
 * RFC 9110 allows. Else `used` is how many bytes were taken. */
static COLD bool head_goes_on(struct turn *t, const char *data, size_t length, llhttp_errno_t error,
                              size_t *used)
{
    struct session *s = t->session;
    size_t most = t->context->service->max_header_size;
    size_t have = length < most ? length : most;
    while (error != HPE_PAUSED) {
        size_t seen = error == HPE_OK ? have : (size_t)(llhttp_get_error_pos(t->parser) - data) + 1;
        seen = seen < have ? seen : have;
        if (error == HPE_OK || !broken_head_blanks_begin(t, data, seen)) {
            *used = broken_head_incomplete(t, data, length, seen, error != HPE_OK);
            return false;
        }
        broken_head_blanks_skip(t, data, length);
        error = llhttp_execute(t->parser, data + s->head_fed, have - s->head_fed);
    }
    return true;
}

/* `data` begins with the head; nothing of it is consumed before it is complete. */
static ALWAYS_INLINE size_t head_feed(struct turn *t, const char *data, size_t length)
{
    struct session *s = t->session;
    size_t most = t->context->service->max_header_size;
    size_t have = length < most ? length : most;
    size_t used = 0;
    llhttp_errno_t error = llhttp_execute(t->parser, data + s->head_fed, have - s->head_fed);
    if (unlikely(error != HPE_PAUSED) && !head_goes_on(t, data, length, error, &used)) {
        return used;
    }
    return head_complete(t, (struct span){.data = data, .length = have});
}

static ALWAYS_INLINE size_t start_feed(struct turn *t, const char *data, size_t length)
{
    struct session *s = t->session;
    if (unlikely(data[0] == '\r' || data[0] == '\n')) {
        return broken_head_empty_line(t, data, length);
    }
    llhttp_init(t->parser, HTTP_REQUEST, &body_parser_settings);
    session_set_state(s, STATE_HEAD);
    s->head_fed = 0;
    s->line_read = s->head_blanks = false;
    s->timer_restarted = true;
    return head_feed(t, data, length);
}

/* ---- consuming ---- */

/* Whether answers must be sent before more requests are parsed. `rest` is what of the input would have to be kept then:
 * no more is answered than can be kept with it if the socket takes nothing. */
static NOINLINE bool pending_must_be_sent(const struct turn *t, size_t rest)
{
    const struct session *s = t->session;
    const struct output *output = &t->context->output;
    size_t pending = output->committed - output->start;
    if (output->heap == NULL && !t->grow) {
        return output->capacity - output->end < SCRATCH_LOW ||
               budget_tight_with(output->budget, pending + rest);
    }
    return s->unread >= SESSION_UNREAD_MOST || budget_tight_with(output->budget, rest);
}

static ALWAYS_INLINE bool session_must_send(const struct turn *t, size_t rest)
{
    const struct output *output = &t->context->output;
    return output->committed != output->start && pending_must_be_sent(t, rest);
}

static NOINLINE size_t session_step_on(struct turn *t, const char *data, size_t length)
{
    switch ((enum state)t->session->state) {
    case STATE_START: break;
    case STATE_HEAD: broken_head_blanks_skip(t, data, length); return head_feed(t, data, length);
    case STATE_REFUSED_LINE: return broken_head_line(t, data, length);
    case STATE_BODY: return body_feed(t, data, length);
    case STATE_ANSWER: return 0;
    case STATE_CLOSING:
        t->session->ending = t->session->ending == ENDING_CLEAN ? ENDING_LINGER : t->session->ending;
        return length;
    }
    abort();
}

static ALWAYS_INLINE size_t session_step(struct turn *t, const char *data, size_t length)
{
    return likely(t->session->state == STATE_START) ? start_feed(t, data, length)
                                                    : session_step_on(t, data, length);
}

/* Takes bytes until they are used up, more are needed, or answers must be sent first; behind the last answer they are
 * dropped. Returns how many were taken. */
static ALWAYS_INLINE size_t session_consume(struct turn *t, const char *data, size_t length)
{
    struct session *s = t->session;
    size_t used = 0;
    bool kept = s->in != NULL;
    while (used < length && (!session_must_send(t, kept ? 0 : length - used) || s->state == STATE_CLOSING)) {
        size_t step = session_step(t, data + used, length - used);
        used += step;
        if (step == 0 && s->state != STATE_CLOSING) {
            break;
        }
    }
    s->unread += (uint32_t)(used < SESSION_UNREAD_MOST ? used : SESSION_UNREAD_MOST);
    return used;
}

/* For want of memory, to the request that is being read, or whose head begins so. */
static COLD void session_refuse(struct turn *t, struct span head)
{
    if (t->exchange == NULL) {
        broken_head_exchange(t, head);
    }
    exchange_fail_memory(t);
}

/* After the peer's last byte, or where bytes were dropped, what is not complete never will be. */
static COLD void session_check_end(struct turn *t)
{
    struct session *s = t->session;
    if (s->state == STATE_CLOSING || s->state == STATE_ANSWER) {
        return;
    }
    if (s->starved != STARVED_NOT) {
        if (output_pending(&t->context->output).length > 0) {
            return;
        }
        session_refuse(t, (struct span){.data = "HEAD ", .length = s->starved == STARVED_HEAD ? 5 : 0});
        return;
    }
    if (!s->ended || (s->in != NULL && session_must_send(t, 0))) {
        return;
    }
    if (s->state == STATE_START && s->in == NULL) {
        session_close(s, ENDING_CLEAN);
        return;
    }
    struct span head = buffer_span(s->in);
    if (s->state == STATE_BODY) {
        exchange_fail(t, STATUS_BAD_REQUEST, "The request ended before its body did.");
    } else {
        broken_head_fail(t, head,
                         (struct verdict){STATUS_BAD_REQUEST, "The request ended before its head did."});
    }
}

/* Parses on in the bytes that were kept. */
static NOINLINE void session_consume_kept(struct turn *t)
{
    struct session *s = t->session;
    if (s->in != NULL) {
        struct span in = buffer_span(s->in);
        buffer_consume(&s->in, session_consume(t, in.data, in.length), t->context->output.budget);
    }
    session_check_end(t);
}

/* What is dropped now is refused once the answers before it are sent, which takes no memory any more. */
static bool turn_can_refuse_later(const struct turn *t)
{
    enum state state = (enum state)t->session->state;
    bool unsent = output_pending(&t->context->output).length > 0;
    return state == STATE_ANSWER || (unsent && state != STATE_BODY && state != STATE_CLOSING);
}

static NOINLINE void session_keep(struct turn *t, const char *data, size_t length)
{
    struct session *s = t->session;
    enum budget_need need =
        s->state == STATE_HEAD || s->state == STATE_REFUSED_LINE ? BUDGET_MAY_REFUSE : BUDGET_MUST_KEEP;
    if (buffer_append(&s->in, data, length, t->context->output.budget, need) == 0) {
        return;
    }
    if (turn_can_refuse_later(t)) {
        struct span first =
            s->in == NULL ? (struct span){.data = data, .length = length} : buffer_span(s->in);
        bool head = first.length >= 5 && memcmp(first.data, "HEAD ", 5) == 0;
        s->starved = head ? STARVED_HEAD : STARVED;
        if (s->state == STATE_HEAD || s->state == STATE_REFUSED_LINE) {
            session_set_state(s, STATE_START);
        }
    } else if (session_must_send(t, 0)) {
        session_close(s, ENDING_CUT);
    } else {
        session_refuse(t, s->in == NULL ? (struct span){.data = data, .length = length} : buffer_span(s->in));
    }
    buffer_free(&s->in, t->context->output.budget);
}

/* ---- the interface ---- */

void session_enter(struct session *s, struct context *context)
{
    output_open(&context->output, &s->out, s->out_committed);
    s->unread = s->out_committed == 0 ? 0 : s->unread; /* nothing to read yet: the client owes nothing */
    s->out_committed = 0;
}

void session_feed(struct session *s, struct context *context, const char *data, size_t length)
{
    struct turn *t = turn_begin(s, context);
    if (s->in == NULL) {
        size_t used = session_consume(t, data, length);
        if (used < length) {
            session_keep(t, data + used, length - used);
        }
    } else {
        session_keep(t, data, length);
        session_consume_kept(t);
    }
    turn_end(t);
}

COLD void session_feed_kept(struct session *s, struct context *context, const char *data, size_t length)
{
    struct turn *t = turn_begin(s, context);
    session_keep(t, data, length);
    session_consume_kept(t);
    turn_end(t);
}

COLD void session_eof(struct session *s, struct context *context)
{
    struct turn *t = turn_begin(s, context);
    s->ended = true;
    session_check_end(t);
    turn_end(t);
}

/* A refused client that has not sent the head of a request is told all the same. */
static COLD void session_refuse_unasked(struct turn *t)
{
    broken_head_exchange(t, buffer_span(t->session->in));
    exchange_fail_refused(t);
}

COLD void session_timeout(struct session *s, struct context *context)
{
    struct turn *t = turn_begin(s, context);
    if (s->refusing != REFUSAL_NOT && session_unasked(s)) {
        session_refuse_unasked(t);
        turn_end(t);
        return;
    }
    bool sent_something =
        output_pending(&context->output).length > 0 || (t->exchange != NULL && t->exchange->begun);
    switch ((enum timer)s->timer) {
    case TIMER_NONE: break;
    case TIMER_IDLE: session_close(s, ENDING_CLEAN); break;
    case TIMER_HEADER:
        broken_head_fail(t, buffer_span(s->in),
                         (struct verdict){STATUS_REQUEST_TIMEOUT, "The head of the request took too long."});
        break;
    case TIMER_BODY:
        if (s->state == STATE_BODY && !sent_something) {
            exchange_fail(t, STATUS_REQUEST_TIMEOUT, "The body of the request took too long.");
        } else {
            session_close(s, ENDING_CUT);
        }
        break;
    }
    turn_end(t);
}

COLD void session_lost(struct session *s, struct context *context)
{
    struct turn *t = turn_begin(s, context);
    if (t->exchange != NULL) {
        exchange_log_end(t);
    }
}

COLD void session_cut_off(struct session *s, struct context *context)
{
    struct turn *t = turn_begin(s, context);
    if (t->exchange == NULL && s->in != NULL && context->log != NULL) {
        broken_head_exchange(t, buffer_span(s->in));
        exchange_dress(t, false);
    }
    if (t->exchange != NULL) {
        exchange_log_end(t);
    }
    session_drop_exchange(s, context->output.budget);
}

void session_drain(struct session *s, struct context *context)
{
    (void)context;
    if (session_idle(s)) {
        session_close(s, ENDING_CLEAN);
    }
}

/* What the sending of answers has made possible. */
static COLD void session_continue(struct session *s, struct context *context)
{
    struct turn *t = turn_begin(s, context);
    if (s->state == STATE_ANSWER) {
        exchange_produce(t);
    }
    session_consume_kept(t);
    turn_end(t);
}

COLD void session_resume(struct session *s, struct context *context)
{
    struct turn *t = turn_begin(s, context);
    if (s->state == STATE_ANSWER) {
        exchange_resume(t);
    }
    session_consume_kept(t);
    turn_end(t);
}

COLD void session_refuse_work(struct session *s, struct context *context)
{
    struct turn *t = turn_begin(s, context);
    exchange_refuse_work(t);
    session_consume_kept(t);
    turn_end(t);
}

COLD size_t session_undecided_now(struct session *s, struct context *context)
{
    return exchange_undecided(turn_begin(s, context));
}

COLD void session_decide(struct session *s, struct context *context)
{
    struct turn *t = turn_begin(s, context);
    exchange_decide(t);
    turn_end(t);
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
    return s->ending == ENDING_CUT ? SPAN_LITERAL("") : output_pending(&context->output);
}

void session_sent(struct session *s, struct context *context, size_t length)
{
    output_sent(&context->output, length);
    s->timer_restarted = true;
    if (output_pending(&context->output).length == 0) {
        s->unread = 0;
        if (s->state == STATE_ANSWER || s->in != NULL || unlikely(s->starved != STARVED_NOT)) {
            session_continue(s, context);
        }
    }
}

static enum pending session_pending(const struct session *s)
{
    return s->state == STATE_ANSWER && s->exchange != NULL ? (enum pending)s->exchange->pending
                                                           : PENDING_NOTHING;
}

static enum timer session_timer(const struct session *s)
{
    if (s->out_committed == 0 && session_pending(s) != PENDING_NOTHING) {
        return TIMER_NONE;
    }
    if (s->out_committed > 0 || s->state == STATE_BODY || s->state == STATE_ANSWER) {
        return TIMER_BODY;
    }
    return s->state == STATE_START && s->in == NULL ? TIMER_IDLE : TIMER_HEADER;
}

/* What is unsent goes to the heap. */
static NOINLINE void session_leave_unsent(struct session *s, struct context *context)
{
    if (s->in != NULL && output_pending(&context->output).length > 0 && s->state != STATE_ANSWER &&
        !scoreboard_draining(context->service->scoreboard)) {
        /* The socket takes no more, but the client may not read before it has written: parse on into the heap. Not while
         * the server drains, when an answer is not made before the socket has been read behind its request. */
        struct turn *t = turn_begin(s, context);
        t->grow = true;
        session_consume_kept(t);
        turn_end(t);
    }
    context->undecided = 0; /* the drain began just now */
    int error = output_close(&context->output, &s->out, &s->out_committed);
    if (error == -ENOBUFS) {
        /* The answer being made was dropped for want of memory: say so instead, or give up. */
        struct turn *t = turn_begin(s, context);
        output_open(&context->output, &s->out, s->out_committed);
        exchange_fail_memory(t);
        turn_end(t);
        error = output_close(&context->output, &s->out, &s->out_committed);
    }
    if (error != 0) {
        session_lost(s, context);
        session_close(s, ENDING_CUT);
        session_drop_exchange(s, context->output.budget);
    }
    enum timer timer = session_timer(s);
    if (timer != (enum timer)s->timer) {
        s->timer = (uint8_t)timer;
        s->timer_restarted = true;
    }
}

void session_leave(struct session *s, struct context *context)
{
    if (unlikely(s->state != STATE_START || s->in != NULL || !output_empty(&context->output))) {
        session_leave_unsent(s, context);
        return;
    }
    /* All was answered and sent: nothing to keep. */
    s->timer_restarted |= s->timer != TIMER_IDLE;
    s->timer = TIMER_IDLE;
}

bool session_idle(const struct session *s)
{
    return s->state == STATE_START && s->in == NULL && s->out == NULL;
}

/* What a client may still write before it reads. */
static bool session_may_read(const struct session *s, const struct context *context)
{
    return !s->ended && s->starved == STARVED_NOT && s->unread + buffer_length(s->in) < SESSION_UNREAD_MOST &&
           !budget_tight(context->output.budget);
}

/* The table in session.h. */
static NOINLINE unsigned session_wants_more(const struct session *s, const struct context *context)
{
    bool unsent = s->out_committed > 0;
    enum pending pending = session_pending(s);
    if (s->state == STATE_CLOSING) {
        return unsent && s->ending != ENDING_CUT ? WANT_WRITE : WANT_CLOSE;
    }
    if (unsent) {
        unsigned want = WANT_WRITE | (pending == PENDING_WAIT ? WANT_WAIT : 0);
        return session_may_read(s, context) ? want | WANT_READ : want;
    }
    switch (pending) {
    case PENDING_NOTHING: return WANT_READ;
    case PENDING_WAIT: return WANT_WAIT;
    case PENDING_WORK: return WANT_WORK;
    }
    abort();
}

unsigned session_wants(const struct session *s, const struct context *context)
{
    return likely(session_idle(s) && !s->ended) ? (unsigned)WANT_READ : session_wants_more(s, context);
}
