/* SPDX-License-Identifier: MIT */
/* The line that an exchange leaves in the access log. */
#include "common/session/exchange/exchange.h"
#include "common/base/compiler.h"
#include "common/session/log.h"

bool exchange_keep_log_copy(struct pass *pass)
{
    struct exchange *x = pass->exchange;
    struct budget budget = pass->context->output.budget;
    struct span extra = x->response.extra;
    struct span target = x->request.target;
    struct span fields = x->request.fields;
    if (pass->context->log == NULL) {
        return true;
    }
    bool with_fields = pass->context->log->headers;
    if (buffer_reserve(&x->log_copy, extra.length + target.length + (with_fields ? fields.length : 0), budget,
                       BUDGET_MAY_REFUSE) != 0) {
        return false;
    }
    buffer_append(&x->log_copy, extra.data, extra.length, budget, BUDGET_MAY_REFUSE);
    buffer_append(&x->log_copy, target.data, target.length, budget, BUDGET_MAY_REFUSE);
    x->response.extra.data = buffer_span(x->log_copy).data;
    x->request.target.data = x->response.extra.data + extra.length;
    if (with_fields) {
        buffer_append(&x->log_copy, fields.data, fields.length, budget, BUDGET_MAY_REFUSE);
        x->request.fields.data = x->request.target.data + target.length;
    }
    return true;
}

/* Of a request that was not understood: the bytes of its first line. */
static struct span first_line(struct span head)
{
    size_t length = 0;
    while (length < head.length && head.data[length] != '\r' && head.data[length] != '\n') {
        length++;
    }
    return (struct span){.data = head.data, .length = length};
}

void exchange_log(struct pass *pass, unsigned status, uint64_t bytes)
{
    const struct exchange *x = pass->exchange;
    struct context *context = pass->context;
    struct log *log = context->log;
    const struct session *s = pass->session;
    if (log == NULL || !x->has_common_fields || x->log_skipped) {
        return;
    }
    uint64_t now = context->clock_us();
    uint64_t begin = s->started_us != 0 ? s->started_us : context->now_us;
    const char *extra_end = x->response.extra.data + x->response.extra.length;
    struct log_entry entry = {
        .date = context->date,
        .peer = &s->peer,
        .mode = context->service->mode,
        .target = x->understood ? x->request.target : first_line(x->bad_head),
        .id = {.data = extra_end - 2 - x->id_length, .length = x->id_length},
        .fields = x->understood ? x->request.fields : SPAN_LITERAL(""),
        .bytes = bytes,
        .duration_us = now > begin ? now - begin : 0,
        .connection = s->number,
        .status = status,
        .understood = x->understood,
        .faults = x->begun ? x->response.faults : 0,
        .method = x->request.method,
        .minor_version = x->request.minor_version,
    };
    if (log->length == 0) {
        log->due_us = now + LOG_WAIT_US;
    }
    log_write(log, &entry);
    if (now >= log->due_us || scoreboard_draining(context->service->scoreboard)) {
        log->due_us = now + LOG_WAIT_US;
        log->flush(log);
    }
}

static uint64_t body_bytes(const struct exchange *x)
{
    if (!x->begun || !x->answers_body) {
        return 0;
    }
    switch ((enum content)x->response.body) {
    case CONTENT_TEXT: return response_text(&x->response).length;
    case CONTENT_ECHO:
        return x->response.abort == ABORT_NOT || x->body_seen < x->response.abort_after
                   ? x->body_seen
                   : x->response.abort_after;
    case CONTENT_PRODUCED:
    case CONTENT_EVENTS: return x->produced;
    }
    __builtin_unreachable();
}

void exchange_log_outcome(struct pass *pass)
{
    const struct exchange *x = pass->exchange;
    exchange_log(pass, x->begun ? x->response.status : 0, body_bytes(x));
}
