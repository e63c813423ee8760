/* SPDX-License-Identifier: MIT */
/* Answers are written to the output as soon as the head has come, and committed when no error can replace them. */
#include "common/session/exchange.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/compiler.h"

#define CONNECTION_CLOSE      SPAN_LITERAL("Connection: close\r\n")
#define CONNECTION_KEEP_ALIVE "Connection: keep-alive\r\n"

enum {
    PRODUCE_MIN = 4096, /* room that makes it worth while to go on producing */
    PACE_MIN_MS = 10,   /* between two pieces of a paced body */
};

COLD void exchange_deinit(struct exchange *x, struct budget budget)
{
    if (x != NULL) {
        buffer_free(&x->log_copy, budget);
        buffer_free(&x->head, budget);
        buffer_free(&x->body, budget);
        buffer_free(&x->trailers, budget);
        response_deinit(&x->response);
    }
}

static ALWAYS_INLINE void exchange_count(struct pass *pass)
{
    counters_add(&pass->context->counters->answers[pass->exchange->response.status / 100 - 2], 1);
}

/* In a head that was written without it: the one that ends so far behind the first byte that is unsent. */
static COLD void exchange_say_close(struct output *output, size_t head_end)
{
    size_t position = output->start + head_end;
    size_t field = sizeof CONNECTION_KEEP_ALIVE - 1;
    char *last = output->data + position - 2 - field;
    if (memcmp(last, CONNECTION_KEEP_ALIVE, field) == 0) {
        memcpy(last, "Connection:      close\r\n", field);
    } else {
        output_insert(output, position - 2, CONNECTION_CLOSE);
        output->failed = false; /* no memory for it: the answer is whole without */
    }
}

/* The drain began, or others came to wait, after this head was written. */
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

static void exchange_commit(struct pass *pass)
{
    struct exchange *x = pass->exchange;
    if (!x->begun) {
        pass->context->undecided = 0; /* it stands behind the one that was */
        if (!x->response.close && context_closing(pass->context)) {
            exchange_commit_closing(pass);
        }
        exchange_count(pass);
    }
    x->begun = true;
    output_commit(&pass->context->output);
}

/* It is decided once the session goes on behind it: with a request, with a part of one, or with a refusal. */
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

/* While the server drains; more than is served behind the signal counts as that. */
static COLD void session_count_drained(struct session *s, uint64_t bytes)
{
    uint64_t left = SESSION_DRAINED_MAX - s->drained;
    s->drained += (uint32_t)(bytes < left ? bytes : left);
}

/* The answer is complete and committed. */
static void exchange_complete(struct pass *pass)
{
    if (context_closing(pass->context)) {
        session_count_drained(pass->session, pass->exchange->body_seen + pass->exchange->overhead);
    }
    exchange_log_outcome(pass);
    exchange_deinit(pass->exchange, pass->context->output.budget);
    exchange_detach(pass);
}

/* There will be no answer. Now, not at the end of the pass: the head's bytes may be gone then. */
static COLD void exchange_abandon(struct pass *pass)
{
    exchange_log_outcome(pass);
    exchange_deinit(pass->exchange, pass->context->output.budget);
    pass->exchange = NULL;
}

/* Writes head and, unless it is echoed or produced, body; not committed. */
static void exchange_write(struct pass *pass)
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
    x->echoes = x->response.body == CONTENT_ECHO && d.body;
}

/* Writes the response as it stands as the last one. */
static void exchange_write_last(struct pass *pass)
{
    pass->exchange->response.close = true;
    exchange_write(pass);
    exchange_commit(pass);
    if (pass->context->output.failed) {
        exchange_abandon(pass);
        session_close(pass->session, CLOSE_ABORT);
        return;
    }
    exchange_complete(pass);
    session_close(pass->session, CLOSE_LINGERING);
}

COLD void exchange_fail(struct pass *pass, unsigned status, const char *detail, ...)
{
    struct output *output = &pass->context->output;
    if (pass->exchange == NULL) {
        exchange_init(pass);
        pass->exchange->bad_head = SPAN_LITERAL("");
    }
    struct exchange *x = pass->exchange;
    if (x->begun) {
        output_commit(output);
        session_close(pass->session, output->failed ? CLOSE_ABORT : CLOSE_LINGERING);
        return;
    }
    char sentence[128];
    va_list arguments;
    va_start(arguments, detail);
    vsnprintf(sentence, sizeof sentence, detail, arguments);
    va_end(arguments);
    output_rollback(output);
    if (pass->context->adds_common_fields && !x->has_common_fields) {
        exchange_add_common_fields(pass, false);
    }
    struct span extra = x->response.extra;
    response_deinit(&x->response);
    response_init(&x->response, output->budget);
    x->response.extra = extra;
    response_problem(&x->response, status, "%s", sentence);
    x->response.retry_after = status == STATUS_SERVICE_UNAVAILABLE;
    exchange_write_last(pass);
}

COLD void exchange_fail_memory(struct pass *pass)
{
    counters_add(&pass->context->counters->refusals[REFUSAL_MEMORY], 1);
    exchange_fail(pass, STATUS_SERVICE_UNAVAILABLE, "The server has too little memory for this request.");
}

COLD void exchange_fail_refused(struct pass *pass)
{
    static const char *const details[REFUSAL_KINDS] = {
        [REFUSAL_FULL] = "The server is full.",
        [REFUSAL_QUEUE] = "The connection queue is full.",
        [REFUSAL_MEMORY] = "The server has too little memory for another connection.",
        [REFUSAL_SYSTEM] = "The system has no resources for another connection.",
    };
    enum refusal reason = (enum refusal)pass->session->refusing;
    counters_add(&pass->context->counters->refusals[reason], 1);
    exchange_fail(pass, STATUS_SERVICE_UNAVAILABLE, "%s", details[reason]);
}

/* To a connection that is refused. */
static COLD void exchange_refuse(struct pass *pass)
{
    struct exchange *x = pass->exchange;
    x->request.refused = true;
    if (route_is_probe(&x->request)) {
        x->handler = route_find(&x->request, &x->response);
        if (x->handler != NULL) {
            x->handler->begin(&x->request, &x->response);
        }
        exchange_write_last(pass);
        return;
    }
    exchange_fail_refused(pass);
}

static void move_span(struct span *span, struct span from, const char *to)
{
    if (span->data >= from.data && span->data < from.data + from.length) {
        span->data = to + (span->data - from.data);
    }
}

/* Keeps the head's bytes for `finish`. */
static COLD bool exchange_keep_head(struct pass *pass, struct span head)
{
    struct exchange *x = pass->exchange;
    if (buffer_append(&x->head, head.data, head.length, pass->context->output.budget, BUDGET_MAY_REFUSE) !=
        0) {
        return false;
    }
    struct request *r = &x->request;
    struct span *spans[] = {&r->target, &r->path,         &r->query,    &r->host,
                            &r->fields, &r->content_type, &r->parameter};
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++) {
        move_span(spans[i], head, x->head->data);
    }
    return true;
}

/* The status, as far as the head tells: the route, the expectation, the handler's parameters. */
static ALWAYS_INLINE void exchange_judge(struct exchange *x)
{
    x->handler = route_find(&x->request, &x->response);
    if (unlikely(x->handler != NULL && x->request.expect == EXPECT_UNKNOWN)) {
        response_problem(&x->response, STATUS_EXPECTATION_FAILED,
                         "Unknown expectation: only 100-continue is supported.");
    } else if (x->handler != NULL) {
        x->handler->begin(&x->request, &x->response);
    }
    if (x->response.problem) {
        x->handler = NULL;
    }
}

static bool exchange_too_large(struct pass *pass, uint64_t more)
{
    struct exchange *x = pass->exchange;
    uint64_t most = pass->context->service->max_body_size;
    if (x->handler != NULL && x->handler->body == HANDLER_HOLDS && most > HANDLER_HOLD_MAX) {
        most = HANDLER_HOLD_MAX;
    }
    if (more <= most && x->body_seen <= most - more) {
        return false;
    }
    exchange_fail(pass, STATUS_CONTENT_TOO_LARGE,
                  "The body is too large: at most %llu bytes are allowed here.", (unsigned long long)most);
    return true;
}

/* Whether the head alone decides on the answer's own bytes. */
static ALWAYS_INLINE bool exchange_known(const struct exchange *x)
{
    return x->handler == NULL || (x->handler->body != HANDLER_HOLDS && x->response.work.run == NULL);
}

/* Answers a request that has no body with a text, now. */
static ALWAYS_INLINE void exchange_answer_at_once(struct pass *pass)
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

/* The request's body comes next, or the answer takes more than a text. */
static COLD void exchange_go_on(struct pass *pass, struct span head, bool body)
{
    struct exchange *x = pass->exchange;
    struct request *request = &x->request;
    x->body_seen = x->overhead = x->produced = x->step = 0;
    x->left = request->content_length;
    x->part = request->framing == FRAMING_CHUNKED ? PART_LINE : PART_LENGTH;
    x->used = 2; /* no CRLF of a chunk stands before the first chunk-size line */
    chunk_line_init(&x->line);
    if (unlikely(pass->context->log != NULL) && !exchange_keep_log_copy(pass)) {
        exchange_fail_memory(pass);
        return;
    }
    if (body && exchange_too_large(pass, request->content_length)) {
        return;
    }
    if (x->response.failed) {
        exchange_fail_memory(pass);
        return;
    }
    if (body && request->expect != EXPECT_NOTHING) {
        if (x->response.problem) {
            exchange_write_last(
                pass); /* instead of the interim answer: the body does not come (RFC 9110, 10.1.1) */
            return;
        }
        output_write(&pass->context->output, SPAN_LITERAL("HTTP/1.1 100 Continue\r\n\r\n"));
        output_commit(&pass->context->output);
    }
    session_set_state(pass->session, STATE_BODY);
    if (exchange_known(x)) {
        exchange_write(pass);
    } else if (body && !exchange_keep_head(pass, head)) {
        exchange_fail_memory(pass);
        return;
    }
    if (pass->context->output.failed) {
        exchange_fail_memory(pass);
    } else if (!body) {
        exchange_request_complete(pass);
    }
}

/* While others wait or the server drains: whether the answer closes whatever has been read behind the request. */
static COLD bool exchange_closes(struct pass *pass, struct span head)
{
    session_count_drained(pass->session, head.length);
    return context_must_yield(pass->context) || pass->session->drained == SESSION_DRAINED_MAX;
}

void exchange_begin(struct pass *pass, struct span head)
{
    struct exchange *x = pass->exchange;
    struct request *request = &x->request;
    request->parameter = SPAN_LITERAL("");
    request->service = pass->context->service;
    request->peer = &pass->session->peer;
    request->connection = pass->session->number;
    request->ordinal = ++pass->session->requests;
    if (unlikely(pass->context->adds_common_fields)) {
        exchange_add_common_fields(pass, true);
    }
    if (unlikely(pass->session->refusing != REFUSAL_NOT)) {
        exchange_refuse(pass);
        return;
    }
    exchange_judge(x);
    bool closing = context_closing(pass->context);
    x->response.close |= !request->keep_alive || (unlikely(closing) && exchange_closes(pass, head));
    bool body = request_has_body(request);
    if (!body && x->response.body == CONTENT_TEXT && x->response.wait_ms == 0 && !x->response.failed &&
        likely(!closing) && exchange_known(x)) {
        exchange_answer_at_once(pass);
    } else {
        exchange_go_on(pass, head, body);
    }
}

static void exchange_written(struct pass *pass)
{
    struct exchange *x = pass->exchange;
    if (pass->context->output.failed) {
        exchange_fail_memory(pass);
    } else if (x->begun) {
        output_commit(&pass->context->output);
    } else if (x->echoes && x->body_seen >= EXCHANGE_BEGIN_AT) {
        if (x->response.wait_ms > 0) {
            x->late = true; /* body_feed stops at this byte */
        } else {
            exchange_commit(pass);
        }
    }
}

void exchange_body(struct pass *pass, const char *data, size_t length)
{
    struct exchange *x = pass->exchange;
    x->body_seen += length;
    pass->session->timer_restarted = true;
    if (x->echoes) {
        output_write(&pass->context->output, (struct span){.data = data, .length = length});
        exchange_written(pass);
    } else if (x->handler != NULL && x->handler->body == HANDLER_HOLDS &&
               buffer_append(&x->body, data, length, pass->context->output.budget, BUDGET_MAY_REFUSE) != 0) {
        exchange_fail_memory(pass);
    }
}

COLD void exchange_chunk_begin(struct pass *pass, uint64_t size)
{
    struct exchange *x = pass->exchange;
    if (exchange_too_large(pass, size) || !x->echoes || size == 0) {
        return;
    }
    char line[CHUNK_LINE_TEXT_SIZE];
    size_t length = chunk_line_format(line, size);
    output_write(&pass->context->output, (struct span){.data = line, .length = length});
    exchange_written(pass);
}

COLD void exchange_chunk_end(struct pass *pass)
{
    if (pass->exchange->echoes) {
        output_write(&pass->context->output, SPAN_LITERAL("\r\n"));
        exchange_written(pass);
    }
}

static void exchange_call_finish(struct pass *pass)
{
    struct exchange *x = pass->exchange;
    x->request.body = buffer_span(x->body);
    x->request.trailers = buffer_span(x->trailers);
    x->handler->finish(&x->request, &x->response);
    if (!x->response.failed) {
        exchange_write(pass);
    }
}

static COLD void exchange_pend(struct pass *pass, enum pending pending, uint64_t wait_ms)
{
    pass->exchange->pending = (uint8_t)pending;
    pass->exchange->wait_ms = wait_ms;
    pass->session->wait_restarted = true;
    session_set_state(pass->session, STATE_ANSWER);
}

/* The answer begins: all of it is here, but for what is produced. */
static void exchange_answer(struct pass *pass)
{
    struct exchange *x = pass->exchange;
    bool produces = x->handler != NULL && x->response.body == CONTENT_PRODUCED && x->answers_body;
    if (x->response.failed || pass->context->output.failed ||
        (produces && !x->begun && x->response.length > PRODUCE_MIN &&
         budget_tight(pass->context->output.budget))) {
        exchange_fail_memory(pass);
        return;
    }
    exchange_commit(pass);
    if (x->handler != NULL && x->response.body == CONTENT_PRODUCED && x->answers_body) {
        session_set_state(pass->session, STATE_ANSWER);
        exchange_produce(pass);
    } else {
        exchange_complete(pass);
    }
}

void exchange_request_complete(struct pass *pass)
{
    struct exchange *x = pass->exchange;
    x->body_ended = true;
    if (x->handler != NULL && x->handler->body == HANDLER_HOLDS) {
        exchange_call_finish(pass);
    }
    if (x->echoes && x->request.framing == FRAMING_CHUNKED) {
        output_write(&pass->context->output, SPAN_LITERAL("0\r\n\r\n"));
    }
    if (x->handler != NULL && x->response.work.run != NULL) {
        x->response.work.cutting = &pass->context->service->scoreboard->cutting;
        exchange_pend(pass, PENDING_WORK, 0);
    } else if (x->handler != NULL && x->response.wait_ms > 0 && !x->begun) {
        exchange_pend(pass, PENDING_WAIT, x->response.wait_ms);
    } else {
        exchange_answer(pass);
    }
}

COLD void exchange_wait_late(struct pass *pass)
{
    pass->exchange->late = false;
    exchange_pend(pass, PENDING_WAIT, pass->exchange->response.wait_ms);
}

COLD void exchange_resume(struct pass *pass)
{
    struct exchange *x = pass->exchange;
    enum pending pending = (enum pending)x->pending;
    x->pending = PENDING_NOTHING;
    switch (pending) {
    case PENDING_NOTHING: break;
    case PENDING_WORK:
        x->handler->complete(&x->response.work, &x->response);
        exchange_write(pass);
        exchange_answer(pass);
        break;
    case PENDING_WAIT:
        if (x->begun) {
            if (output_unsent(&pass->context->output).length == 0) {
                exchange_produce(pass);
            }
        } else if (x->body_ended) {
            exchange_answer(pass);
        } else {
            exchange_commit(pass);
            session_set_state(pass->session, STATE_BODY);
        }
        break;
    }
}

COLD void exchange_refuse_work(struct pass *pass)
{
    struct exchange *x = pass->exchange;
    x->pending = PENDING_NOTHING;
    counters_add(&pass->context->counters->refusals[REFUSAL_QUEUE], 1);
    response_problem(&x->response, STATUS_SERVICE_UNAVAILABLE, "The work queue is full.");
    x->response.retry_after = true;
    exchange_write(pass);
    exchange_answer(pass);
}

/* Where the present piece of a paced body ends. */
static uint64_t pace_end(const struct response *response, uint64_t step, uint64_t pieces)
{
    return step >= pieces ? response->length : response->length * step / pieces;
}

/* The end of what may be produced now; a wait is pending if that is nothing. */
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
