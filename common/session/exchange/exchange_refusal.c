/* SPDX-License-Identifier: MIT */
/* Answers to requests that are not served: the last answer of a connection, a 503 for want of memory or of room, and
 * probes on a refused connection. */
#include "common/session/exchange/exchange.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/base/compiler.h"
#include "common/base/trace.h"

void exchange_write_last(struct pass *pass)
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
        TRACE_REQUEST(pass->session->number, SPAN_LITERAL(""));
        exchange_init(pass);
        pass->exchange->bad_head = SPAN_LITERAL("");
    }
    struct exchange *x = pass->exchange;
    if (status != STATUS_SERVICE_UNAVAILABLE) {
        x->log_skipped = false; /* a malformed request is always logged */
    }
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

COLD void exchange_refuse(struct pass *pass)
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
