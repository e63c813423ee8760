/* SPDX-License-Identifier: MIT */
/* The fields that every answer gets: those of the service, and X-Request-Id. */
#include "common/http/cors.h"
#include "common/session/exchange/exchange.h"
#include "common/session/log.h"

static const char id_name[] = "X-Request-Id: ";

/* Returns `extra` followed by the X-Request-Id field. The text is in the log's memory and stays valid until the next
 * request. */
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

/* A preflight gets the answer of OPTIONS *, whatever its path. Only a preflight to a probe gets the probe's status. */
void exchange_add_common_fields(struct pass *pass, bool understood)
{
    struct exchange *x = pass->exchange;
    const struct service *service = pass->context->service;
    const struct log *log = pass->context->log;
    bool preflight = service->cors && understood && cors_preflight(&x->request);
    struct span extra = preflight ? service->preflight_fields : service->fields;
    x->has_common_fields = true;
    x->understood = understood;
    x->log_skipped = log != NULL && understood && log_skips(log, x->request.path);
    if (preflight && !route_is_probe(&x->request)) {
        x->request.path = SPAN_LITERAL("*");
    }
    x->response.extra = log != NULL ? exchange_identify(pass, extra) : extra;
}
