/* SPDX-License-Identifier: MIT */
/* The end of a pass: what goes on moves to the heap, what is over is freed. */
#include "common/session/pass.h"

#include "common/base/compiler.h"

void session_drop_exchange(struct session *s, struct budget budget)
{
    if (s->exchange != NULL) {
        exchange_deinit(s->exchange, budget);
        budget_free(budget, s->exchange, sizeof *s->exchange);
        s->exchange = NULL;
    }
}

void session_drop_parser(struct session *s, struct budget budget)
{
    if (s->parser != NULL) {
        budget_free(budget, s->parser, sizeof *s->parser);
        s->parser = NULL;
    }
}

/* An answer that has begun is promised: there can be no 503 in its place. */
static enum budget_need pass_need(const struct pass *pass)
{
    return pass->exchange != NULL && pass->exchange->begun ? BUDGET_MUST_KEEP : BUDGET_MAY_REFUSE;
}

/* An exchange that goes on moves to the heap; one that is over is freed. */
COLD void pass_end_exchange(struct pass *pass)
{
    struct session *s = pass->session;
    struct budget budget = pass->context->output.budget;
    if (pass->exchange != NULL && s->state == STATE_CLOSING) {
        exchange_log_outcome(pass);
        exchange_trace_end(s, pass->exchange);
        if (pass->exchange == &pass->local) {
            exchange_deinit(pass->exchange, budget);
        }
        pass->exchange = NULL;
    }
    if (pass->exchange != NULL && pass->exchange == s->exchange) {
        return;
    }
    session_drop_exchange(s, budget);
    if (pass->exchange == NULL) {
        return;
    }
    s->exchange = budget_copy(budget, &pass->local, sizeof pass->local, pass_need(pass));
    if (s->exchange != NULL) {
        exchange_keep_target(s->exchange);
        return;
    }
    exchange_fail_memory(pass);
    if (pass->exchange != NULL) {
        exchange_log_outcome(pass);
        exchange_trace_end(s, pass->exchange);
    }
    exchange_deinit(pass->exchange, budget);
}

/* A parser in the middle of a head or of chunks moves to the heap; one that is done is freed. */
COLD void pass_end_parser(struct pass *pass)
{
    struct session *s = pass->session;
    struct budget budget = pass->context->output.budget;
    const struct exchange *x = pass->exchange;
    bool in_chunks =
        s->state != STATE_CLOSING && x != NULL && !x->body_ended && x->request.framing == FRAMING_CHUNKED;
    if (s->state != STATE_HEAD && !in_chunks) {
        session_drop_parser(s, budget);
        return;
    }
    if (s->parser != NULL) {
        return;
    }
    s->parser = budget_copy(budget, &pass->local_parser, sizeof pass->local_parser, pass_need(pass));
    if (s->parser == NULL) {
        exchange_fail_memory(pass);
    }
}
