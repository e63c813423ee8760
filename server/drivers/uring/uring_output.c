/* SPDX-License-Identifier: MIT */
#include "server/drivers/uring/uring_output.h"

#include <errno.h>

#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "server/drivers/uring/uring_operation.h"
#include "server/net/transport.h"

/* Output that follows an answer in the same pass, such as the refusal of input that could not be kept, is added to the same send. */
static COLD enum output_taken send_more(struct uring_connection *c, struct span bytes)
{
    if (c->rest != NULL || !ring_send_more(&c->loop->ring, bytes.data, bytes.length, c)) {
        return OUTPUT_WAITS;
    }
    c->sent_length += (uint32_t)bytes.length;
    return OUTPUT_TAKEN;
}

enum output_taken uring_output_take(struct context *context, struct span bytes)
{
    struct uring_loop *loop =
        (struct uring_loop *)(void *)((char *)context - offsetof(struct uring_loop, context));
    struct uring_connection *c = loop->sender;
    if (unlikely(uring_is_sending(c))) {
        return send_more(c, bytes);
    }
    if (unlikely(c->rest != NULL)) {
        return OUTPUT_WAITS;
    }
    if (unlikely(c->reads_by_call || !ring_send(&loop->ring, c->fd, bytes.data, bytes.length, c, &c->sent))) {
        return OUTPUT_LEFT;
    }
    context->holds_output = true;
    c->sent_turn = loop->ring.turn;
    c->sent_length = (uint32_t)bytes.length;
    return OUTPUT_TAKEN;
}

/* The session has counted the rest as sent, so it is asked what it would want if the rest were unsent: a client that writes before it
 * reads must be read. */
static COLD unsigned wants_behind_rest(struct uring_connection *c)
{
    struct context *context = &c->loop->context;
    context->holds_output = true;
    unsigned wants = session_wants(&c->session, context);
    context->holds_output = false;
    return wants;
}

unsigned uring_output_wants(struct uring_connection *c)
{
    return likely(c->rest == NULL) ? session_wants(&c->session, &c->loop->context) : wants_behind_rest(c);
}

/* Waits until the socket takes more of the rest, or the body timeout has passed; if the ring is full, until the next system call. */
static COLD void await_rest(struct uring_connection *c)
{
    c->since = clock_coarse_ms();
    uring_core_move(c, (enum uring_list)TIMER_BODY);
    if (!uring_await_room(c)) {
        c->due |= URING_DUE_WRITABLE;
        uring_core_queue(c);
    }
}

/* The pass has counted all bytes as sent. */
COLD bool uring_output_not_sent(struct uring_connection *c, int result)
{
    size_t sent = result > 0 ? (size_t)result : 0;
    counters_add(&c->loop->context.counters->sent, (uint64_t)sent - c->sent_length);
    if (c->ending) {
        c->lingers = false;
        return true;
    }
    if (result < 0 && result != -EAGAIN && result != -EINTR) {
        return false;
    }
    if (buffer_append(&c->rest, c->sent + sent, c->sent_length - sent, uring_budget(c), BUDGET_MUST_KEEP) !=
        0) {
        return false;
    }
    await_rest(c);
    uring_core_queue(c); /* the session wants something else behind a rest */
    return true;
}

COLD bool uring_output_send_rest(struct uring_connection *c)
{
    struct span rest = buffer_span(c->rest);
    struct transfer sent = transport_send(c->fd, rest.data, rest.length);
    if (sent.outcome == TRANSPORT_END || sent.outcome == TRANSPORT_ERROR) {
        return false;
    }
    counters_add(&c->loop->context.counters->sent, sent.length);
    buffer_consume(&c->rest, sent.length, uring_budget(c));
    if (c->rest == NULL) {
        uring_core_move(c, URING_RESTARTED);
    } else {
        await_rest(c);
    }
    return true;
}
