/* SPDX-License-Identifier: MIT */
/* A body of events (CONTENT_EVENTS): one event at a time, each in a chunk of its own. A drain ends it, once idle connections end, too. */
#include "common/http/chunk_line.h"
#include "common/session/exchange/exchange.h"

#include "common/base/compiler.h"

/* The room for an event in its chunk, and for the last chunk. */
enum { EVENT_ROOM = CHUNK_LINE_TEXT_SIZE + HANDLER_EVENT_SIZE + 16 };

static bool exchange_is_chunked(const struct exchange *x)
{
    return x->request.minor_version > 0;
}

static void exchange_write_event(struct pass *pass, bool end)
{
    struct exchange *x = pass->exchange;
    struct output *output = &pass->context->output;
    char text[HANDLER_EVENT_SIZE];
    char line[CHUNK_LINE_TEXT_SIZE];
    size_t length = x->handler->event(x->step, x->response.length, end, text);
    if (exchange_is_chunked(x)) {
        output_write(output, (struct span){.data = line, .length = chunk_line_format(line, length)});
    }
    output_write(output, (struct span){.data = text, .length = length});
    if (exchange_is_chunked(x)) {
        output_write(output, SPAN_LITERAL("\r\n"));
    }
    x->produced += length;
}

static void exchange_end_events(struct pass *pass)
{
    if (exchange_is_chunked(pass->exchange)) {
        output_write(&pass->context->output, SPAN_LITERAL("0\r\n\r\n"));
    }
    output_commit(&pass->context->output);
    exchange_complete(pass);
}

COLD void exchange_produce_events(struct pass *pass)
{
    struct exchange *x = pass->exchange;
    const struct output *output = &pass->context->output;
    while (x->pending == PENDING_NOTHING && output->capacity - output->end >= EVENT_ROOM) {
        bool drains = x->step > 0 && scoreboard_closing(pass->context->service->scoreboard);
        if (drains && x->step < x->response.length) {
            exchange_write_event(pass, true);
        }
        if (drains || x->step == x->response.length) {
            exchange_end_events(pass);
            return;
        }
        x->step++;
        exchange_write_event(pass, false);
        output_commit(&pass->context->output);
        if (x->response.pace_ms > 0 && x->step < x->response.length) {
            exchange_pend(pass, PENDING_WAIT, x->response.pace_ms);
        }
    }
}
