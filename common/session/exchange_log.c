/* SPDX-License-Identifier: MIT */
/* What all answers have (--cors, X-Request-Id), and the line that an exchange leaves in the access log. */
#include "common/http/cors.h"
#include "common/session/exchange.h"
#include "common/base/compiler.h"
#include "common/session/log.h"

static const char id_name[] = "X-Request-Id: ";

/* The fields with the request's id behind them; the text is the log's until the next request. */
static struct span exchange_identify(struct pass *pass, struct span extra)
{
    struct exchange *x = pass->exchange;
    struct log *log = pass->context->log;
    const struct session *s = pass->session;
    struct span id = x->understood ? log_find_id(x->request.fields) : SPAN_LITERAL("");
    char *at = span_copy(log->fields, extra);
    at = span_copy(at, SPAN_LITERAL(id_name));
    char *begin = at;
    if (id.length > 0) {
        at = span_copy(at, id);
    } else {
        at = log_make_id(log, at, s->number, s->requests + !x->understood);
    }
    x->id_length = (uint8_t)(at - begin);
    at = span_copy(at, SPAN_LITERAL("\r\n"));
    return span_between(log->fields, at);
}

/* A preflight is answered as OPTIONS * is, whatever its path; a probe's with the probe's status. */
void exchange_add_common_fields(struct pass *pass, bool understood)
{
    struct exchange *x = pass->exchange;
    struct span extra = SPAN_LITERAL("");
    x->has_common_fields = true;
    x->understood = understood;
    if (pass->context->service->cors) {
        bool preflight = understood && cors_preflight(&x->request);
        extra = preflight ? cors_preflight_fields() : cors_fields();
        if (preflight && !route_is_probe(&x->request)) {
            x->request.path = SPAN_LITERAL("*");
        }
    }
    x->response.extra = pass->context->log != NULL ? exchange_identify(pass, extra) : extra;
}

bool exchange_keep_log_copy(struct pass *pass)
{
    struct exchange *x = pass->exchange;
    struct budget budget = pass->context->output.budget;
    struct span extra = x->response.extra;
    struct span target = x->request.target;
    if (pass->context->log == NULL) {
        return true;
    }
    if (buffer_reserve(&x->log_copy, extra.length + target.length, budget, BUDGET_MAY_REFUSE) != 0) {
        return false;
    }
    buffer_append(&x->log_copy, extra.data, extra.length, budget, BUDGET_MAY_REFUSE);
    buffer_append(&x->log_copy, target.data, target.length, budget, BUDGET_MAY_REFUSE);
    x->response.extra.data = buffer_span(x->log_copy).data;
    x->request.target.data = x->response.extra.data + extra.length;
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
    if (log == NULL || !x->has_common_fields) {
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
        .bytes = bytes,
        .duration_us = now > begin ? now - begin : 0,
        .connection = s->number,
        .status = status,
        .understood = x->understood,
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
    case CONTENT_ECHO: return x->body_seen;
    case CONTENT_PRODUCED: return x->produced;
    }
    __builtin_unreachable();
}

void exchange_log_outcome(struct pass *pass)
{
    const struct exchange *x = pass->exchange;
    exchange_log(pass, x->begun ? x->response.status : 0, body_bytes(x));
}
