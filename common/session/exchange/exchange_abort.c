/* SPDX-License-Identifier: MIT */
/* Answers that go wrong below HTTP, because /echo was asked for it. The head and the body are written as for any other
 * answer; what the fault is shows when they would be committed. No such answer says `Connection: close`, although it is
 * the connection's last. */
#include "common/session/exchange/exchange.h"

#include <sys/socket.h>

#include "common/base/compiler.h"

enum {
    DELIVERY_LOOK_MS = 10,     /* how often is checked whether earlier answers have arrived, */
    DELIVERY_LOOKS_MAX = 1000, /* and how often without any progress */
};

COLD void exchange_count_faults(struct pass *pass)
{
    const struct context *context = pass->context;
    struct scoreboard *scoreboard = context->service->scoreboard;
    struct rare_counters *rare = counters_rare(scoreboard, context->counters);
    atomic_store_explicit(&scoreboard->rare_used, true, memory_order_relaxed);
    for (unsigned faults = pass->exchange->response.faults; faults != 0; faults &= faults - 1) {
        counters_add(&rare->faults[__builtin_ctz(faults)], 1);
    }
}

/* Ends an answer that was committed. */
static void exchange_hang_up(struct pass *pass, enum close_mode close_mode)
{
    pass->exchange->response.close = true;
    exchange_complete(pass);
    session_close(pass->session, close_mode);
}

/* Ends the exchange without an answer; the log has the status that would have been sent. */
static void exchange_vanish(struct pass *pass, enum close_mode close_mode)
{
    struct exchange *x = pass->exchange;
    x->begun = true;
    x->answers_body = false;
    pass->context->undecided = 0; /* the answer before it is not the last thing that is sent */
    exchange_count_faults(pass);
    exchange_abandon(pass);
    session_close(pass->session, close_mode);
}

/* How much of the answers before the peer's system does not have, as far as only the system knows. */
static size_t exchange_undelivered(const struct context *context)
{
    return context->service->undelivered == NULL ? 0 : context->service->undelivered(context->socket);
}

/* Whether a reset would destroy answers before it. Then it waits until they have arrived, but not for ever if the peer takes nothing of
 * them. A unix socket is closed without a reset. */
static bool exchange_is_too_early(struct pass *pass)
{
    const struct context *context = pass->context;
    struct exchange *x = pass->exchange;
    if (x->response.abort != ABORT_RESET || pass->session->peer.family == AF_UNIX) {
        return false;
    }
    if (context->holds_output || output_unsent(&context->output).length > 0) {
        return true; /* the session's timer, or the driver's, bounds this */
    }
    size_t left = exchange_undelivered(context);
    x->step = left == x->produced ? x->step + 1 : 1; /* `produced`: what was left before */
    x->produced = left;
    return left > 0 && x->step <= DELIVERY_LOOKS_MAX;
}

/* A multiple of an odd number, modulo 256, for each byte: no line, and not the first letter of HTTP. */
static void exchange_send_garbage(struct pass *pass)
{
    char garbage[512];
    for (size_t i = 0; i < sizeof garbage; i++) {
        garbage[i] = (char)(0x93 * (i + 1));
    }
    output_write(&pass->context->output, (struct span){.data = garbage, .length = sizeof garbage});
    output_commit(&pass->context->output);
    exchange_vanish(pass, CLOSE_LINGERING);
}

/* Sends the head; of one that no body follows all but the last CRLF, because the answer would be complete with it. */
static void exchange_stall(struct pass *pass)
{
    struct exchange *x = pass->exchange;
    bool bodiless = x->request.framing != FRAMING_CHUNKED && x->request.content_length == 0;
    if (bodiless || !x->answers_body) {
        pass->context->output.end -= 2;
    }
    exchange_commit(pass);
    exchange_pend(pass, PENDING_STALL, 0);
    pass->session->timer_restarted = true;
    if (pass->session->ended) {
        exchange_end_stall(pass);
    }
}

COLD void exchange_end_stall(struct pass *pass)
{
    if (exchange_stalls(pass)) {
        bool more_comes = !pass->exchange->body_ended && !pass->session->ended;
        exchange_hang_up(pass, more_comes ? CLOSE_LINGERING : CLOSE_NOW);
    }
}

/* Sends the head and the bytes of the body so far. If more are due, the rest of the body is read. */
static void exchange_send_part(struct pass *pass)
{
    struct exchange *x = pass->exchange;
    exchange_commit(pass);
    if (x->body_ended || !x->echoes) {
        exchange_hang_up(pass, CLOSE_LINGERING);
    } else if (pass->session->state == STATE_ANSWER) {
        session_set_state(pass->session, STATE_BODY);
    }
}

COLD void exchange_abort(struct pass *pass)
{
    enum abort kind = (enum abort)pass->exchange->response.abort;
    if (kind == ABORT_BEFORE || kind == ABORT_RESET || kind == ABORT_GARBAGE) {
        output_rollback(&pass->context->output);
    }
    pass->exchange->response.close =
        true; /* the drain need not decide: the head is written and stays as it is */
    switch (kind) {
    case ABORT_BEFORE: exchange_vanish(pass, CLOSE_LINGERING); break;
    case ABORT_RESET:
        if (exchange_is_too_early(pass)) {
            exchange_pend(pass, PENDING_WAIT, DELIVERY_LOOK_MS);
        } else {
            exchange_vanish(pass, CLOSE_RESET);
        }
        break;
    case ABORT_BODY: exchange_send_part(pass); break;
    case ABORT_STALL: exchange_stall(pass); break;
    case ABORT_GARBAGE: exchange_send_garbage(pass); break;
    case ABORT_NOT:
    case ABORT_KINDS: break;
    }
}

COLD bool exchange_abort_expected(struct pass *pass)
{
    struct response *response = &pass->exchange->response;
    if (response->abort != ABORT_BEFORE && response->abort != ABORT_RESET) {
        return false;
    }
    session_set_state(pass->session, STATE_BODY);
    if (response->wait_ms > 0) {
        exchange_pend(pass, PENDING_WAIT, response->wait_ms);
    } else {
        exchange_abort(pass);
    }
    return true;
}

/* How many of the last `length` bytes of the body are echoed, up to the byte at which the answer is cut. */
static size_t exchange_echoed(const struct exchange *x, size_t length)
{
    uint64_t before = x->body_seen - length;
    uint64_t left = x->response.abort_after - before;
    return left < length ? (size_t)left : length;
}

COLD void exchange_abort_body(struct pass *pass, const char *data, size_t length)
{
    struct exchange *x = pass->exchange;
    struct output *output = &pass->context->output;
    if (x->echoes) {
        output_write(output, (struct span){.data = data, .length = exchange_echoed(x, length)});
        x->echoes = x->body_seen < x->response.abort_after;
    }
    if (output->failed) {
        exchange_fail_memory(pass);
    } else if (x->begun) {
        output_commit(output);
        if (!x->echoes) {
            exchange_hang_up(pass, CLOSE_LINGERING);
        }
    } else if (x->body_seen >= EXCHANGE_BEGIN_AT) {
        if (x->response.wait_ms == 0 && exchange_is_too_early(pass)) {
            x->response.wait_ms = DELIVERY_LOOK_MS;
        }
        x->late = x->response.wait_ms > 0; /* body_feed stops at this byte */
        if (!x->late) {
            exchange_abort(pass);
        }
    }
}
