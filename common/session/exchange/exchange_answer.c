/* SPDX-License-Identifier: MIT */
/* The answer of an exchange: written to the output as soon as the head has come, committed when no error can replace
 * it, and produced, delayed or waited for until its last byte. */
#include "common/session/exchange/exchange.h"

#include "common/base/compiler.h"
#include "common/base/trace.h"

#define CONNECTION_CLOSE      SPAN_LITERAL("Connection: close\r\n")
#define CONNECTION_KEEP_ALIVE "Connection: keep-alive\r\n"

enum {
    PRODUCE_MIN = 4096, /* room that makes it worth while to go on producing */
    PACE_MIN_MS = 10,   /* between two pieces of a paced body */
};

static ALWAYS_INLINE void exchange_count(struct pass *pass)
{
    counters_add(&pass->context->counters->answers[pass->exchange->response.status / 100 - 2], 1);
}

/* Adds `Connection: close` to a head that was written without it. `head_end` is the offset of that head's end from the
 * first unsent byte. */
static COLD void exchange_say_close(struct output *output, size_t head_end)
{
    size_t position = output->start + head_end;
    size_t field = sizeof CONNECTION_KEEP_ALIVE - 1;
    char *last = output->data + position - 2 - field;
    if (memcmp(last, CONNECTION_KEEP_ALIVE, field) == 0) {
        memcpy(last, "Connection:      close\r\n", field);
    } else {
        output_insert(output, position - 2, CONNECTION_CLOSE);
        output->failed = false; /* no memory for the field: the answer is complete without it */
    }
}

/* Called when an answer whose head does not say `Connection: close` is committed while the server drains or other
 * connections wait for a worker. If connections wait, the head gets the field; otherwise the answer is undecided. */
static COLD void exchange_commit_closing(struct pass *pass)
{
    struct exchange *x = pass->exchange;
    struct output *output = &pass->context->output;
    size_t head_end = output->committed + x->head_length - output->start;
    if (context_must_yield(pass->context)) {
        x->response.close = true;
        exchange_say_close(output, head_end);
    } else {
        pass->context->undecided = head_end;
    }
}

void exchange_commit(struct pass *pass)
{
    struct exchange *x = pass->exchange;
    if (!x->begun) {
        pass->context->undecided = 0; /* this answer follows the one that was undecided */
        if (!x->response.close && context_closing(pass->context)) {
            exchange_commit_closing(pass);
        }
        exchange_count(pass);
        if (unlikely(x->response.faults != 0)) {
            exchange_count_faults(pass);
        }
    }
    x->begun = true;
    output_commit(&pass->context->output);
}

/* The answer is no longer undecided once something follows it in the session: a request, a part of one, or dropped
 * input that gets a 503. */
COLD size_t exchange_undecided(struct pass *pass)
{
    const struct session *s = pass->session;
    if (s->in != NULL || s->input_dropped != INPUT_KEPT || s->state == STATE_HEAD ||
        s->state == STATE_REFUSED_LINE || (pass->exchange != NULL && !pass->exchange->begun)) {
        pass->context->undecided = 0;
    }
    return pass->context->undecided;
}

COLD void exchange_decide(struct pass *pass)
{
    struct session *s = pass->session;
    struct output *output = &pass->context->output;
    size_t head_end = exchange_undecided(pass);
    pass->context->undecided = 0;
    if (head_end == 0) {
        return;
    }
    exchange_say_close(output, head_end);
    output_commit(output);
    if (pass->exchange != NULL) {
        pass->exchange->response.close = true;
    } else if (s->state == STATE_START) {
        session_close(s, CLOSE_LINGERING);
    }
}

static COLD void exchange_count_duration(struct pass *pass)
{
    struct session *s = pass->session;
    counters_add_duration(pass->context->counters, pass->context->now_us - s->started_us);
    s->started_us = 0;
}

/* The answer is complete, committed, and holds nothing any more. */
static ALWAYS_INLINE void exchange_detach(struct pass *pass)
{
    struct session *s = pass->session;
    struct exchange *x = pass->exchange;
    TRACE(request_end, s->number, (uint64_t)x->response.status);
    pass->exchange = NULL;
    s->timer_restarted = true;
    s->empty_lines = 0;
    if (unlikely(s->started_us != 0)) {
        exchange_count_duration(pass);
    }
    if (unlikely(x->response.close)) {
        session_close(s, x->request.keep_alive ? CLOSE_LINGERING : CLOSE_NOW);
    } else {
        session_set_state(s, STATE_START);
    }
}

void exchange_complete(struct pass *pass)
{
    if (context_closing(pass->context)) {
        session_count_drained(pass->session, pass->exchange->body_seen + pass->exchange->overhead);
    }
    exchange_log_outcome(pass);
    exchange_deinit(pass->exchange, pass->context->output.budget);
    exchange_detach(pass);
}

COLD void exchange_trace_end(const struct session *s, const struct exchange *x)
{
    if (x->pending == PENDING_WAIT) {
        TRACE(wait_end, s->number, UINT64_C(1));
    }
    TRACE(request_end, s->number, (uint64_t)(x->begun ? x->response.status : 0));
}

COLD void exchange_abandon(struct pass *pass)
{
    exchange_log_outcome(pass);
    exchange_trace_end(pass->session, pass->exchange);
    exchange_deinit(pass->exchange, pass->context->output.budget);
    pass->exchange = NULL;
}

void exchange_write(struct pass *pass)
{
    struct exchange *x = pass->exchange;
    struct output *output = &pass->context->output;
    size_t before = output->end - output->start;
    struct delimiting d = response_write_head(output, &x->response, &x->request, pass->context->date);
    x->head_length = output->end - output->start - before;
    x->answers_body = d.body;
    if (x->response.body == CONTENT_TEXT && d.body) {
        output_write(output, response_text(&x->response));
    }
    x->echoes = x->response.body == CONTENT_ECHO && d.body &&
                (likely(x->response.abort == ABORT_NOT) || x->response.abort_after > 0);
}

void exchange_answer_at_once(struct pass *pass)
{
    struct exchange *x = pass->exchange;
    struct output *output = &pass->context->output;
    struct delimiting d = response_write_head(output, &x->response, &x->request, pass->context->date);
    if (d.body) {
        output_write(output, response_text(&x->response));
    }
    if (unlikely(output->failed)) {
        exchange_fail_memory(pass);
        return;
    }
    exchange_count(pass);
    output_commit(output);
    if (unlikely(pass->context->log != NULL)) {
        exchange_log(pass, x->response.status, d.body ? d.length : 0);
    }
    response_deinit(&x->response); /* nothing else is held: there was no body */
    exchange_detach(pass);
}

COLD void exchange_pend(struct pass *pass, enum pending pending, uint64_t wait_ms)
{
    pass->exchange->pending = (uint8_t)pending;
    pass->exchange->wait_ms = wait_ms;
    if (pending == PENDING_WAIT) {
        TRACE(wait_begin, pass->session->number, wait_ms);
    }
    pass->session->wait_restarted = true;
    session_set_state(pass->session, STATE_ANSWER);
}

void exchange_answer(struct pass *pass)
{
    struct exchange *x = pass->exchange;
    bool produces = x->handler != NULL && x->answers_body &&
                    (x->response.body == CONTENT_PRODUCED || x->response.body == CONTENT_EVENTS);
    if (x->response.failed || pass->context->output.failed ||
        (produces && !x->begun && x->response.body == CONTENT_PRODUCED && x->response.length > PRODUCE_MIN &&
         budget_tight(pass->context->output.budget))) {
        exchange_fail_memory(pass);
        return;
    }
    if (unlikely(x->response.abort != ABORT_NOT)) {
        exchange_abort(pass);
        return;
    }
    exchange_commit(pass);
    if (produces) {
        session_set_state(pass->session, STATE_ANSWER);
        exchange_produce(pass);
    } else {
        exchange_complete(pass);
    }
}

COLD void exchange_wait_late(struct pass *pass)
{
    pass->exchange->late = false;
    exchange_pend(pass, PENDING_WAIT, pass->exchange->response.wait_ms);
}

COLD void exchange_resume(struct pass *pass, bool early)
{
    struct exchange *x = pass->exchange;
    enum pending pending = (enum pending)x->pending;
    x->pending = PENDING_NOTHING;
    switch (pending) {
    case PENDING_NOTHING: break;
    case PENDING_STALL: x->pending = PENDING_STALL; break; /* it does not wait for this */
    case PENDING_WORK:
        x->handler->complete(&x->response.work, &x->response);
        exchange_write(pass);
        exchange_answer(pass);
        break;
    case PENDING_WAIT:
        TRACE(wait_end, pass->session->number, (uint64_t)early);
        if (x->begun) {
            if (output_unsent(&pass->context->output).length == 0) {
                exchange_produce(pass);
            }
        } else if (x->body_ended) {
            exchange_answer(pass);
        } else if (x->response.abort != ABORT_NOT) {
            exchange_abort(pass);
        } else {
            exchange_commit(pass);
            session_set_state(pass->session, STATE_BODY);
        }
        break;
    }
}

/* Where the present piece of a paced body ends. */
static uint64_t pace_end(const struct response *response, uint64_t step, uint64_t pieces)
{
    return step >= pieces ? response->length : response->length * step / pieces;
}

/* Returns the offset up to which the body may be produced now. If that allows no more bytes although the body is
 * incomplete, starts the wait for the next piece. */
static uint64_t exchange_pace(struct pass *pass)
{
    struct exchange *x = pass->exchange;
    const struct response *r = &x->response;
    if (r->pace_ms == 0) {
        return r->length;
    }
    uint64_t pieces = r->pace_ms / PACE_MIN_MS;
    pieces = pieces == 0 ? 1 : pieces < r->length ? pieces : r->length;
    uint64_t end = pace_end(r, x->step, pieces);
    if (x->produced == end && end < r->length) {
        uint64_t before = r->pace_ms * x->step / pieces;
        x->step++;
        exchange_pend(pass, PENDING_WAIT, r->pace_ms * x->step / pieces - before);
    }
    return end;
}

COLD void exchange_produce(struct pass *pass)
{
    struct exchange *x = pass->exchange;
    struct output *output = &pass->context->output;
    if (x->pending != PENDING_NOTHING) {
        return;
    }
    if (x->response.body == CONTENT_EVENTS) {
        exchange_produce_events(pass);
        return;
    }
    uint64_t left = exchange_pace(pass) - x->produced;
    size_t room = output->capacity - output->end;
    if (room > PRODUCE_MIN && budget_tight_with(output->budget, output->end - output->start + room)) {
        room = PRODUCE_MIN;
    }
    if (left > 0 && room >= PRODUCE_MIN) {
        size_t piece = left < room ? (size_t)left : room;
        x->handler->produce(x->produced, output->data + output->end, piece);
        output_advance(output, piece);
        output_commit(output);
        x->produced += piece;
    }
    if (x->produced == x->response.length) {
        exchange_complete(pass);
    }
}
