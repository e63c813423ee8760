/* SPDX-License-Identifier: MIT */
/* The request of an exchange: what its head decides, and its body. */
#include "common/session/exchange/exchange.h"

#include "common/base/compiler.h"

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

COLD void exchange_keep_target(struct exchange *x)
{
    struct span *target = &x->request.target;
    if (x->head != NULL || x->log_copy != NULL) {
        return; /* it is in these */
    }
    target->length = target->length < RESPONSE_STORE_SIZE ? target->length : RESPONSE_STORE_SIZE;
    target->data = memmove(x->response.store, target->data, target->length);
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

/* Whether the request's head alone determines the answer, apart from an echoed body: no held body and no work is
 * needed. */
static ALWAYS_INLINE bool exchange_known(const struct exchange *x)
{
    return x->handler == NULL || (x->handler->body != HANDLER_HOLDS && x->response.work.run == NULL);
}

/* Continues an exchange that exchange_answer_at_once cannot answer: for example, the request's body follows, or the
 * answer is more than a text that is ready. */
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
        if (x->response.abort != ABORT_NOT && exchange_abort_expected(pass)) {
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

/* While other connections wait for a worker or the server drains: counts the bytes of the head as drained, and returns
 * whether the answer must close the connection even if more requests have arrived. */
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
    x->response.close |= !request->keep_alive || request->ordinal == request->service->max_requests ||
                         (unlikely(closing) && exchange_closes(pass, head));
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
    if (unlikely(x->response.abort != ABORT_NOT)) {
        exchange_abort_body(pass, data, length);
    } else if (x->echoes) {
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

static NOINLINE void exchange_call_finish(struct pass *pass)
{
    struct exchange *x = pass->exchange;
    const struct service *service = pass->context->service;
    struct peer local;
    x->request.body = buffer_span(x->body);
    x->request.trailers = buffer_span(x->trailers);
    x->request.local =
        service->local != NULL && service->local(pass->context->socket, &local) ? &local : NULL;
    x->handler->finish(&x->request, &x->response);
    if (!x->response.failed) {
        exchange_write(pass);
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
        x->response.work.connection = pass->session->number;
        x->response.work.completions = NULL;
        x->response.work.cutting = &pass->context->service->scoreboard->cutting;
        exchange_pend(pass, PENDING_WORK, 0);
    } else if (x->handler != NULL && x->response.wait_ms > 0 && !x->begun) {
        exchange_pend(pass, PENDING_WAIT, x->response.wait_ms);
    } else {
        exchange_answer(pass);
    }
}
