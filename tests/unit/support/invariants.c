/* SPDX-License-Identifier: MIT */
/* Each rule is a sentence about the session's members; the first that is not true is told. */
#include "tests/unit/support/invariants.h"

#include "common/session/exchange/exchange.h"

#define RULE(holds, sentence)  \
    do {                       \
        if (!(holds)) {        \
            return (sentence); \
        }                      \
    } while (0)

enum {
    EMPTY_LINES_MAX = 8,
    CHUNK_LINE_MAX = 4096 + 2,
    OVERHEAD_MIN = 64 * 1024,
};

static uint64_t capacity(const struct buffer *buffer)
{
    return buffer == NULL ? 0 : buffer->capacity;
}

static const char *buffer_broken(const struct buffer *buffer)
{
    RULE(buffer == NULL || buffer->start < buffer->end, "a buffer that is empty is not freed");
    RULE(buffer == NULL || buffer->end <= buffer->capacity, "a buffer ends behind its memory");
    return NULL;
}

static const char *held_broken(const struct session *s, uint64_t held)
{
    uint64_t owned = capacity(s->in) + capacity(s->out) + (s->parser == NULL ? 0 : sizeof *s->parser);
    const struct exchange *x = s->exchange;
    if (x != NULL) {
        owned += sizeof *x + capacity(x->head) + capacity(x->body) + capacity(x->trailers) +
                 capacity(x->log_copy) + capacity(x->response.fields) + capacity(x->response.content);
    }
    RULE(owned == held, "what it owns is not what it has taken from the budget");
    return NULL;
}

static const char *state_broken(const struct session *s, const struct service *service)
{
    bool head = s->state == STATE_HEAD || s->state == STATE_REFUSED_LINE;
    bool request = s->state == STATE_BODY || s->state == STATE_ANSWER;
    RULE(s->state <= STATE_CLOSING, "its state is none");
    RULE(s->close_mode <= CLOSE_ABORT && s->timer <= TIMER_BODY, "its ending or its timer is none");
    RULE((s->exchange != NULL) == request, "an exchange is kept in a request, and only there");
    bool in_chunks = request && !s->exchange->body_ended && s->exchange->request.framing == FRAMING_CHUNKED;
    RULE(s->state == STATE_CLOSING || (s->parser != NULL) == (s->state == STATE_HEAD || in_chunks),
         "a parser is kept in a head and in chunks, and only there");
    RULE(!head || s->in != NULL || s->out_committed > 0, "a head that is read in part is not kept");
    RULE(!head || s->head_fed <= service->max_header_size, "the parser was fed past the limit of a head");
    RULE(s->state != STATE_HEAD || s->head_fed <= buffer_length(s->in),
         "the parser has seen more of a head than was kept");
    RULE(s->empty_lines <= EMPTY_LINES_MAX || s->state == STATE_CLOSING,
         "too many empty lines were passed over");
    RULE(s->state == STATE_CLOSING || s->close_mode == CLOSE_NOW, "it knows how to end before it ends");
    RULE(s->out_committed <= buffer_length(s->out), "more may be sent than is there");
    RULE(s->input_dropped == INPUT_KEPT || s->out_committed > 0 || s->state == STATE_ANSWER ||
             s->state == STATE_CLOSING,
         "it goes on behind bytes that were dropped");
    RULE(s->timer != TIMER_IDLE || s->out_committed == 0, "it is idle with something to send");
    return NULL;
}

static bool lies_in(struct span span, struct span whole)
{
    return span.data >= whole.data && span.data + span.length <= whole.data + whole.length;
}

static bool target_is_kept(const struct exchange *x)
{
    struct span store = {.data = x->response.store, .length = sizeof x->response.store};
    return lies_in(x->request.target, x->log_copy != NULL ? buffer_span(x->log_copy)
                                      : x->head != NULL   ? buffer_span(x->head)
                                                          : store);
}

static const char *exchange_broken(const struct session *s, const struct service *service)
{
    const struct exchange *x = s->exchange;
    if (x == NULL) {
        return NULL;
    }
    size_t used_most = x->part == PART_TRAILERS ? service->max_header_size : CHUNK_LINE_MAX;
    RULE(x->part <= PART_TRAILERS && x->pending <= PENDING_STALL, "its part or what it waits for is none");
    RULE(s->state == STATE_ANSWER || x->pending == PENDING_NOTHING, "it waits before the request is whole");
    RULE(!(s->state == STATE_BODY && x->body_ended), "it reads on behind a body's end");
    RULE(target_is_kept(x), "its target went with the bytes of its head");
    RULE(!x->late, "an answer that was to wait was not made to");
    RULE(x->used <= used_most, "a line of the framing is past its limit");
    RULE(x->overhead <= OVERHEAD_MIN + x->body_seen / 4, "there was more framing than is allowed");
    RULE(x->body_seen <= service->max_body_size, "the body is past its limit");
    RULE(buffer_length(x->body) <= HANDLER_HOLD_MAX, "more of a body is held than is allowed");
    RULE(x->handler != NULL || x->response.problem || x->begun, "a request that nobody answers");
    RULE(x->response.body != CONTENT_PRODUCED || x->produced <= x->response.length,
         "more was produced than is due");
    RULE(!x->begun || x->response.status >= 200, "an answer has begun without a status");
    RULE(!x->echoes || x->answers_body, "an answer without a body echoes one");
    RULE(x->pending != PENDING_STALL || (x->begun && x->response.abort == ABORT_STALL && !s->ended),
         "an answer stalls that was not to, or whose client has ended");
    RULE(x->response.abort == ABORT_NOT || x->response.body == CONTENT_ECHO,
         "another answer than an echo goes wrong");
    RULE(x->response.body != CONTENT_EVENTS || x->step <= x->response.length,
         "more events were sent than are due");
    return NULL;
}

const char *invariants_broken(const struct session *s, const struct service *service, uint64_t held)
{
    const char *broken = buffer_broken(s->in);
    broken = broken != NULL ? broken : buffer_broken(s->out);
    broken = broken != NULL ? broken : state_broken(s, service);
    broken = broken != NULL ? broken : exchange_broken(s, service);
    return broken != NULL ? broken : held_broken(s, held);
}
