/* SPDX-License-Identifier: MIT */
/* The session's states and their usual transitions (session_state.h lists all):
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
 * A connection on which a header of the PROXY protocol comes first begins in PROXY, before START.
 *
 * Limits and syntax are judged in the order of the bytes: the parser is never given a byte behind a limit. */
#include "common/session/session.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "common/session/bad_head.h"
#include "common/session/body.h"
#include "common/session/pass.h"
#include "common/http/head.h"
#include "common/base/compiler.h"
#include "common/base/proxy_header.h"
#include "common/base/trace.h"

enum {
    SCRATCH_LOW = 8 * 1024, /* less room than this: send what there is before parsing on */
};

void session_init(struct session *s, uint64_t number, const struct peer *peer, enum refusal refusing)
{
    *s = (struct session){.number = number,
                          .peer = *peer,
                          .state = peer->proxied ? STATE_PROXY : STATE_START,
                          .refusing = (uint8_t)refusing,
                          .timer = peer->proxied ? TIMER_HEADER : TIMER_IDLE,
                          .timer_restarted = true};
}

/* Of a request that gets no answer, or not all of it. */
static COLD void session_abandon_exchange(struct session *s, struct budget budget)
{
    if (s->exchange != NULL) {
        exchange_trace_end(s, s->exchange);
    }
    session_drop_exchange(s, budget);
}

COLD void session_deinit(struct session *s, struct budget budget)
{
    session_abandon_exchange(s, budget);
    session_drop_parser(s, budget);
    buffer_free(&s->in, budget);
    buffer_free(&s->out, budget);
}

/* ---- the header of the PROXY protocol ---- */

static COLD void proxy_header_fail(struct pass *pass)
{
    counters_add(&pass->context->counters->bad_proxy_headers, 1);
    session_close(pass->session, CLOSE_ABORT);
}

/* Nothing of the header is consumed before it is complete. */
static COLD size_t proxy_header_feed(struct pass *pass, const char *data, size_t length)
{
    struct session *s = pass->session;
    size_t header = 0;
    switch (proxy_header_read((struct span){.data = data, .length = length}, &s->peer, &header)) {
    case PROXY_HEADER_MORE: return 0;
    case PROXY_HEADER_DONE:
        session_set_state(s, STATE_START);
        s->started_us = 0; /* it is no part of the request */
        return header;
    case PROXY_HEADER_BAD: proxy_header_fail(pass); return length;
    }
    abort();
}

/* The client has ended its side. */
static COLD void proxy_header_conclude(struct pass *pass)
{
    if (pass->session->in != NULL) {
        proxy_header_fail(pass);
    } else {
        session_close(pass->session, CLOSE_NOW);
    }
}

/* ---- heads ---- */

/* Reads the request line in its usual form or in any other. Returns its length. */
static ALWAYS_INLINE size_t head_read_line(struct span head, struct request *request,
                                           struct parse_result *result)
{
    size_t line = request_line_read_usual(head, request);
    if (line == 0) {
        *result = request_line_read(head, false, request, &line);
    }
    return line;
}

static NOINLINE size_t head_complete(struct pass *pass, struct span head)
{
    TRACE_REQUEST(pass->session->number, head);
    exchange_init(pass);
    struct request *request = &pass->exchange->request;
    struct parse_result result = {STATUS_OK, ""};
    size_t line = head_read_line(head, request, &result);
    const char *end = NULL;
    if (result.status == STATUS_OK) {
        result = head_read((struct span){.data = head.data + line, .length = head.length - line},
                           pass->parser, request, &end);
    }
    if (result.status != STATUS_OK) {
        bad_head_fail(pass, head, result);
        return head.length;
    }
    assert(end == llhttp_get_error_pos(pass->parser));
    exchange_begin(pass, span_between(head.data, end));
    return (size_t)(end - head.data);
}

/* Called when llhttp has not reached the end of the head. Makes it continue after blanks that it refuses but RFC 9110
 * allows. Returns true if llhttp then reaches the end; otherwise sets `*used` to the number of bytes consumed. */
static COLD bool head_goes_on(struct pass *pass, const char *data, size_t length, llhttp_errno_t error,
                              size_t *used)
{
    struct session *s = pass->session;
    size_t most = pass->context->service->max_header_size;
    size_t have = length < most ? length : most;
    while (error != HPE_PAUSED) {
        size_t seen = error == HPE_OK ? have : bad_head_refused_end(pass->parser, data, have);
        if (error == HPE_OK || !bad_head_blanks_begin(pass, data, seen)) {
            *used = bad_head_incomplete(pass, data, length, seen, error != HPE_OK);
            return false;
        }
        bad_head_blanks_skip(pass, data, length);
        error = llhttp_execute(pass->parser, data + s->head_fed, have - s->head_fed);
    }
    return true;
}

/* `data` begins with the head; nothing of it is consumed before it is complete. */
static ALWAYS_INLINE size_t head_feed(struct pass *pass, const char *data, size_t length)
{
    struct session *s = pass->session;
    size_t most = pass->context->service->max_header_size;
    size_t have = length < most ? length : most;
    size_t used = 0;
    llhttp_errno_t error = llhttp_execute(pass->parser, data + s->head_fed, have - s->head_fed);
    if (unlikely(error != HPE_PAUSED) && !head_goes_on(pass, data, length, error, &used)) {
        return used;
    }
    return head_complete(pass, (struct span){.data = data, .length = have});
}

static ALWAYS_INLINE size_t start_feed(struct pass *pass, const char *data, size_t length)
{
    struct session *s = pass->session;
    if (unlikely(data[0] == '\r' || data[0] == '\n')) {
        return bad_head_empty_line(pass, data, length);
    }
    llhttp_init(pass->parser, HTTP_REQUEST, &body_parser_settings);
    session_set_state(s, STATE_HEAD);
    s->head_fed = 0;
    s->line_read = s->head_blanks = false;
    s->timer_restarted = true;
    return head_feed(pass, data, length);
}

/* ---- consuming ---- */

/* Whether answers must be sent before more requests are parsed. `rest` is the number of input bytes that would have to
 * be kept then: the budget must have room for these bytes and for the unsent answers that it does not hold yet, in case
 * the socket takes nothing. */
static NOINLINE bool unsent_must_be_sent(const struct pass *pass, size_t rest)
{
    const struct session *s = pass->session;
    const struct output *output = &pass->context->output;
    bool in_scratch = output->heap == NULL;
    bool full = in_scratch && !pass->grow ? output->capacity - output->end < SCRATCH_LOW
                                          : s->unread >= SESSION_UNREAD_MAX;
    size_t unsent = in_scratch ? output->committed - output->start : 0;
    return full || budget_tight_with(output->budget, unsent + rest);
}

static ALWAYS_INLINE bool session_must_send(const struct pass *pass, size_t rest)
{
    const struct output *output = &pass->context->output;
    return output->committed != output->start && unsent_must_be_sent(pass, rest);
}

static NOINLINE size_t session_step_on(struct pass *pass, const char *data, size_t length)
{
    switch ((enum session_state)pass->session->state) {
    case STATE_PROXY: return proxy_header_feed(pass, data, length);
    case STATE_START: break;
    case STATE_HEAD: bad_head_blanks_skip(pass, data, length); return head_feed(pass, data, length);
    case STATE_REFUSED_LINE: return bad_head_line(pass, data, length);
    case STATE_BODY: return body_feed(pass, data, length);
    case STATE_ANSWER: return exchange_stalls(pass) ? length : 0;
    case STATE_CLOSING:
        pass->session->close_mode =
            pass->session->close_mode == CLOSE_NOW ? CLOSE_LINGERING : pass->session->close_mode;
        return length;
    }
    abort();
}

static ALWAYS_INLINE size_t session_step(struct pass *pass, const char *data, size_t length)
{
    return likely(pass->session->state == STATE_START) ? start_feed(pass, data, length)
                                                       : session_step_on(pass, data, length);
}

/* Takes bytes until they are used up, more are needed, or answers must be sent first; behind the last answer they are
 * dropped. Returns how many were taken. */
static ALWAYS_INLINE size_t session_consume(struct pass *pass, const char *data, size_t length)
{
    struct session *s = pass->session;
    size_t used = 0;
    bool kept = s->in != NULL;
    while (used < length &&
           (!session_must_send(pass, kept ? 0 : length - used) || s->state == STATE_CLOSING)) {
        size_t step = session_step(pass, data + used, length - used);
        used += step;
        if (step == 0 && s->state != STATE_CLOSING) {
            break;
        }
    }
    s->unread += (uint32_t)(used < SESSION_UNREAD_MAX ? used : SESSION_UNREAD_MAX);
    return used;
}

/* Answers the request that is being read, or the one whose head begins with `head`, with a 503 for lack of memory. */
static COLD void session_refuse(struct pass *pass, struct span head)
{
    if (pass->exchange == NULL) {
        bad_head_exchange(pass, head);
    }
    exchange_fail_memory(pass);
}

/* After the peer's last byte, or if input was dropped: answers the request that can no longer become complete with an
 * error, or closes a session that is between requests. Otherwise does nothing. */
static COLD void session_conclude(struct pass *pass)
{
    struct session *s = pass->session;
    if (s->state == STATE_ANSWER && s->ended) {
        exchange_end_stall(pass);
    }
    if (s->state == STATE_CLOSING || s->state == STATE_ANSWER) {
        return;
    }
    if (s->state == STATE_PROXY) {
        if (s->ended) {
            proxy_header_conclude(pass);
        }
        return;
    }
    if (s->input_dropped != INPUT_KEPT) {
        if (output_unsent(&pass->context->output).length > 0) {
            return;
        }
        session_refuse(
            pass, (struct span){.data = "HEAD ", .length = s->input_dropped == INPUT_DROPPED_HEAD ? 5 : 0});
        return;
    }
    if (!s->ended || (s->in != NULL && session_must_send(pass, 0))) {
        return;
    }
    if (s->state == STATE_START && s->in == NULL) {
        session_close(s, CLOSE_NOW);
        return;
    }
    struct span head = buffer_span(s->in);
    if (s->state == STATE_BODY) {
        exchange_fail(pass, STATUS_BAD_REQUEST, "The connection ended within the request body.");
    } else {
        bad_head_fail(
            pass, head,
            (struct parse_result){STATUS_BAD_REQUEST, "The connection ended within the request head."});
    }
}

/* Parses on in the bytes that were kept. */
static NOINLINE void session_consume_kept(struct pass *pass)
{
    struct session *s = pass->session;
    if (s->in != NULL) {
        struct span in = buffer_span(s->in);
        size_t used = session_consume(pass, in.data, in.length);
        if (pass->exchange == &pass->local) {
            exchange_keep_target(pass->exchange);
        }
        buffer_consume(&s->in, used, pass->context->output.budget);
    }
    session_conclude(pass);
}

/* Whether input that is dropped now can be refused later, once the answers before it are sent: then no memory is
 * needed. */
static bool pass_can_refuse_later(const struct pass *pass)
{
    enum session_state state = (enum session_state)pass->session->state;
    bool unsent = output_unsent(&pass->context->output).length > 0;
    return state == STATE_ANSWER || (unsent && state != STATE_BODY && state != STATE_CLOSING);
}

static NOINLINE void session_keep(struct pass *pass, const char *data, size_t length)
{
    struct session *s = pass->session;
    if (s->state == STATE_ANSWER && exchange_stalls(pass)) {
        return; /* nobody will want them */
    }
    bool head = s->state == STATE_PROXY || s->state == STATE_HEAD || s->state == STATE_REFUSED_LINE;
    enum budget_need need = head ? BUDGET_MAY_REFUSE : BUDGET_MUST_KEEP;
    if (buffer_append(&s->in, data, length, pass->context->output.budget, need) == 0) {
        return;
    }
    if (s->state == STATE_PROXY || (!pass_can_refuse_later(pass) && session_must_send(pass, 0))) {
        session_close(s, CLOSE_ABORT);
    } else if (pass_can_refuse_later(pass)) {
        struct span first =
            s->in == NULL ? (struct span){.data = data, .length = length} : buffer_span(s->in);
        bool head_method = first.length >= 5 && memcmp(first.data, "HEAD ", 5) == 0;
        s->input_dropped = head_method ? INPUT_DROPPED_HEAD : INPUT_DROPPED;
        if (s->state == STATE_HEAD || s->state == STATE_REFUSED_LINE) {
            session_set_state(s, STATE_START);
        }
    } else {
        session_refuse(pass,
                       s->in == NULL ? (struct span){.data = data, .length = length} : buffer_span(s->in));
    }
    buffer_free(&s->in, pass->context->output.budget);
}

/* ---- the interface ---- */

void session_enter(struct session *s, struct context *context)
{
    if (unlikely(s->started_us != 0 || context->log != NULL)) {
        context->now_us = context->clock_us();
    }
    output_open(&context->output, &s->out, s->out_committed);
    s->unread = s->out_committed == 0 ? 0 : s->unread; /* nothing to read yet: the client owes nothing */
    s->out_committed = 0;
}

void session_feed(struct session *s, struct context *context, const char *data, size_t length)
{
    struct pass *pass = pass_begin(s, context);
    if (s->in == NULL) {
        size_t used = session_consume(pass, data, length);
        if (used < length) {
            session_keep(pass, data + used, length - used);
        }
    } else {
        session_keep(pass, data, length);
        session_consume_kept(pass);
    }
    pass_end(pass);
}

COLD void session_feed_kept(struct session *s, struct context *context, const char *data, size_t length)
{
    struct pass *pass = pass_begin(s, context);
    session_keep(pass, data, length);
    session_consume_kept(pass);
    pass_end(pass);
}

COLD void session_eof(struct session *s, struct context *context)
{
    struct pass *pass = pass_begin(s, context);
    s->ended = true;
    session_conclude(pass);
    pass_end(pass);
}

/* A refused client that has not sent the head of a request is told all the same. */
static COLD void session_refuse_unasked(struct pass *pass)
{
    if (pass->session->state == STATE_PROXY && pass->session->in != NULL) {
        proxy_header_fail(pass);
        return;
    }
    bad_head_exchange(pass, buffer_span(pass->session->in));
    exchange_fail_refused(pass);
}

COLD void session_timeout(struct session *s, struct context *context)
{
    struct pass *pass = pass_begin(s, context);
    if (s->refusing != REFUSAL_NOT && session_unasked(s)) {
        session_refuse_unasked(pass);
        pass_end(pass);
        return;
    }
    bool sent_something =
        output_unsent(&context->output).length > 0 || (pass->exchange != NULL && pass->exchange->begun);
    switch ((enum timer)s->timer) {
    case TIMER_NONE: break;
    case TIMER_IDLE: session_close(s, CLOSE_NOW); break;
    case TIMER_HEADER:
        if (s->state == STATE_PROXY) {
            proxy_header_fail(pass);
            break;
        }
        bad_head_fail(pass, buffer_span(s->in),
                      (struct parse_result){STATUS_REQUEST_TIMEOUT, "The request head took too long."});
        break;
    case TIMER_BODY:
        if (s->state == STATE_BODY && !sent_something) {
            exchange_fail(pass, STATUS_REQUEST_TIMEOUT, "The request body took too long.");
        } else {
            session_close(s, CLOSE_ABORT);
        }
        break;
    }
    pass_end(pass);
}

COLD void session_log_abandoned(struct session *s, struct context *context)
{
    struct pass *pass = pass_begin(s, context);
    if (pass->exchange != NULL) {
        exchange_log_outcome(pass);
    }
}

COLD void session_cut_off(struct session *s, struct context *context)
{
    struct pass *pass = pass_begin(s, context);
    if (pass->exchange == NULL && s->in != NULL && s->state != STATE_PROXY && context->log != NULL) {
        bad_head_exchange(pass, buffer_span(s->in));
        exchange_add_common_fields(pass, false);
    }
    if (pass->exchange != NULL) {
        pass->exchange->log_skipped = false;
        exchange_log_outcome(pass);
        exchange_trace_end(s, pass->exchange);
    }
    session_drop_exchange(s, context->output.budget);
}

COLD void session_drain(struct session *s, struct context *context)
{
    if (session_idle(s)) {
        session_close(s, CLOSE_NOW);
    } else if (session_drainable(s)) {
        struct pass *pass = pass_begin(s, context);
        if (exchange_stalls(pass)) {
            exchange_end_stall(pass);
        } else {
            exchange_resume(pass, true); /* sees the drain and sends the last event */
            session_consume_kept(pass);
        }
        pass_end(pass);
    }
}

/* Continues the session when all its output has been sent: produces more of the answer and parses kept input. */
static COLD void session_continue(struct session *s, struct context *context)
{
    struct pass *pass = pass_begin(s, context);
    if (s->state == STATE_ANSWER) {
        exchange_produce(pass);
    }
    session_consume_kept(pass);
    pass_end(pass);
}

COLD void session_resume(struct session *s, struct context *context)
{
    struct pass *pass = pass_begin(s, context);
    if (s->state == STATE_ANSWER) {
        exchange_resume(pass, false);
    }
    session_consume_kept(pass);
    pass_end(pass);
}

COLD void session_refuse_work(struct session *s, struct context *context)
{
    struct pass *pass = pass_begin(s, context);
    exchange_refuse_work(pass);
    session_consume_kept(pass);
    pass_end(pass);
}

COLD size_t session_undecided_now(struct session *s, struct context *context)
{
    return exchange_undecided(pass_begin(s, context));
}

COLD void session_decide(struct session *s, struct context *context)
{
    struct pass *pass = pass_begin(s, context);
    exchange_decide(pass);
    pass_end(pass);
}

void session_sent(struct session *s, struct context *context, size_t length)
{
    output_sent(&context->output, length);
    s->timer_restarted = true;
    if (output_unsent(&context->output).length == 0) {
        s->unread = 0;
        if (s->state == STATE_ANSWER || s->in != NULL || unlikely(s->input_dropped != INPUT_KEPT)) {
            session_continue(s, context);
        }
    }
}

/* session_leave in all but the simplest case: moves unsent output to the heap. */
static NOINLINE void session_leave_unsent(struct session *s, struct context *context)
{
    if (s->in != NULL && output_unsent(&context->output).length > 0 && s->state != STATE_ANSWER &&
        !scoreboard_draining(context->service->scoreboard)) {
        /* The socket takes no more, but the client may have to write more before it reads. So parsing continues, with
         * output on the heap. Not during a drain: then the socket is read before another answer is made. */
        struct pass *pass = pass_begin(s, context);
        pass->grow = true;
        session_consume_kept(pass);
        pass_end(pass);
    }
    context->undecided = 0; /* the drain began just now */
    int error = output_close(&context->output, &s->out, &s->out_committed);
    if (error == -ENOBUFS && s->state == STATE_CLOSING) {
        error = 0; /* no answer was being made, and nothing may follow one that was cut short */
    } else if (error == -ENOBUFS) {
        /* The answer being made was dropped for want of memory: say so instead, or give up. */
        struct pass *pass = pass_begin(s, context);
        output_open(&context->output, &s->out, s->out_committed);
        exchange_fail_memory(pass);
        pass_end(pass);
        error = output_close(&context->output, &s->out, &s->out_committed);
    }
    if (error != 0) {
        session_log_abandoned(s, context);
        session_close(s, CLOSE_ABORT);
        session_abandon_exchange(s, context->output.budget);
    }
    enum timer timer = session_timer(s);
    if (timer != (enum timer)s->timer) {
        s->timer = (uint8_t)timer;
        s->timer_restarted = true;
    }
    if (s->started_us == 0 && !session_idle(s)) {
        s->started_us = context->log != NULL ? context->now_us : context->clock_us();
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
