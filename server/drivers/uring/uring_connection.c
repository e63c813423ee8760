/* SPDX-License-Identifier: MIT */
/* A connection's way by completions: served, lingering perhaps, closed. */
#include "server/drivers/uring/uring_connection.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "server/drivers/shared/pump.h"
#include "server/net/transport.h"

/* ---- lists, and the queue ---- */

void uring_connection_move(struct uring_connection *c, enum uring_list list)
{
    TAILQ_REMOVE(&c->loop->lists[c->list], c, others);
    c->list = (uint8_t)list;
    TAILQ_INSERT_TAIL(&c->loop->lists[list], c, others);
}

static void queue(struct uring_connection *c)
{
    if (!c->queued) {
        c->queued = true;
        STAILQ_INSERT_TAIL(&c->loop->queue, c, next);
    }
}

/* ---- operations ---- */

static bool is_pending(const struct uring_connection *c, enum ring_tag tag)
{
    return (c->pending & 1u << tag) != 0;
}

/* `asked`: whether the ring had room for the operation. */
static bool begin(struct uring_connection *c, enum ring_tag tag, bool asked)
{
    if (asked) {
        c->pending |= (uint8_t)(1u << tag);
    }
    return asked;
}

static void cancel(struct uring_connection *c, enum ring_tag tag)
{
    unsigned bit = 1u << tag;
    if ((c->pending & bit) != 0 && (c->cancelled & bit) == 0 && ring_cancel(&c->loop->ring, c, tag)) {
        c->cancelled |= (uint8_t)bit;
    }
}

static void completed(struct uring_connection *c, enum ring_tag tag)
{
    c->pending &= (uint8_t) ~(1u << tag);
    c->cancelled &= (uint8_t) ~(1u << tag);
}

/* The first request comes by a single receive: if it is the connection's last, there is nothing to cancel. While the server drains the
 * socket is read by calls, too, which must not overtake the ring. */
static bool await_bytes(struct uring_connection *c)
{
    bool again = !c->loop->draining && c->session.requests > 0;
    return is_pending(c, RING_RECEIVE) ||
           begin(c, RING_RECEIVE, ring_receive(&c->loop->ring, c->fd, again, c));
}

static bool await_room(struct uring_connection *c)
{
    return is_pending(c, RING_WRITABLE) ||
           begin(c, RING_WRITABLE, ring_await_writable(&c->loop->ring, c->fd, c));
}

static bool await_alarm(struct uring_connection *c)
{
    uint64_t now = clock_us();
    if (session_wait_take(&c->session)) {
        c->alarm_us = now + session_wait_ms(&c->session) * 1000;
    }
    if (is_pending(c, RING_ALARM)) {
        return true;
    }
    uint64_t left = c->alarm_us > now ? c->alarm_us - now : 0;
    c->alarm = (struct __kernel_timespec){.tv_sec = (int64_t)(left / 1000000),
                                          .tv_nsec = (int64_t)(left % 1000000 * 1000)};
    return begin(c, RING_ALARM, ring_alarm(&c->loop->ring, &c->alarm, c));
}

/* Whether the last send may fail yet: nothing may be sent behind it. */
static bool is_sending(const struct uring_connection *c)
{
    return c->sent_turn == c->loop->ring.turn;
}

/* ---- chunks ---- */

static struct uring_chunk *chunk_new(struct uring_connection *c, const char *bytes, size_t length)
{
    struct budget budget = c->loop->context.output.budget;
    size_t size = sizeof(struct uring_chunk) + length;
    if (!budget_take(budget, size, BUDGET_MUST_KEEP)) {
        return NULL;
    }
    struct uring_chunk *chunk = malloc(size);
    if (chunk == NULL) {
        budget_give(budget, size);
        return NULL;
    }
    chunk->next = NULL;
    chunk->length = (uint32_t)length;
    chunk->done = 0;
    memcpy(chunk->bytes, bytes, length);
    return chunk;
}

static void chunk_free(struct uring_connection *c, struct uring_chunk *chunk)
{
    if (chunk != NULL) {
        budget_free(c->loop->context.output.budget, chunk, sizeof(*chunk) + chunk->length);
    }
}

static bool keep_early(struct uring_connection *c, const char *bytes, size_t length)
{
    struct uring_chunk **last = &c->early;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = chunk_new(c, bytes, length);
    return *last != NULL;
}

static struct uring_chunk *take_early(struct uring_connection *c)
{
    struct uring_chunk *first = c->early;
    c->early = first->next;
    return first;
}

/* ---- the end ---- */

/* Closes the connection and frees it, unless something is still pending: then again when that has completed. */
static void finish(struct uring_connection *c)
{
    if (c->pending != 0 || c->queued) {
        return;
    }
    if (is_sending(c)) {
        queue(c);
        return;
    }
    struct uring_loop *loop = c->loop;
    struct accepted accepted = {.fd = c->fd, .peer = c->session.peer, .number = c->session.number};
    bool lingers = c->lingers;
    free(c);
    if (!lingers || lingerers_put(loop->lingerers, &accepted) != 0) {
        connection_count_drop(&loop->server->connections);
        close(accepted.fd);
    }
}

static COLD void leave(struct uring_connection *c, bool lingers)
{
    struct uring_loop *loop = c->loop;
    if (loop->context.log != NULL) {
        session_log_abandoned(&c->session, &loop->context);
    }
    session_deinit(&c->session, loop->context.output.budget);
    while (c->early != NULL) {
        chunk_free(c, take_early(c));
    }
    chunk_free(c, c->rest);
    c->rest = NULL;
    TAILQ_REMOVE(&loop->lists[c->list], c, others);
    loop->count--;
    c->ending = true;
    c->lingers = lingers;
    cancel(c, RING_RECEIVE);
    cancel(c, RING_WRITABLE);
    cancel(c, RING_ALARM);
    finish(c);
}

static COLD void abandon(struct uring_connection *c)
{
    leave(c, false);
}

/* ---- passes ---- */

static void settle(struct uring_connection *c);

/* Nearly always the answer is small and complete: then the ring sends it. The session counts it as sent: if the socket does not take all
 * of it, the rest is the connection's. */
static bool pass_by_ring(struct uring_connection *c, struct span bytes)
{
    struct context *context = &c->loop->context;
    clock_read_date(context->service->scoreboard, context->date, &context->date_sequence);
    counters_add(&context->counters->received, bytes.length);
    session_enter(&c->session, context);
    session_feed_kept(&c->session, context, bytes.data, bytes.length);
    struct span unsent = session_output(&c->session, context);
    bool kept = true;
    if (likely(unsent.length > 0 && context->undecided == 0) &&
        likely(ring_send(&c->loop->ring, c->fd, unsent.data, unsent.length, c, &c->sent))) {
        c->sent_turn = c->loop->ring.turn;
        c->sent_length = (uint32_t)unsent.length;
        counters_add(&context->counters->sent, unsent.length);
        session_sent(&c->session, context, unsent.length);
    } else {
        kept = pump_output(&c->session, context, c->fd);
    }
    session_leave(&c->session, context);
    return kept;
}

/* Not while it sends. */
static void pump(struct uring_connection *c, enum io_event event, struct span bytes)
{
    bool kept = likely(event == IO_DATA && !c->loop->draining)
                    ? pass_by_ring(c, bytes)
                    : session_pump(&c->session, &c->loop->context, c->fd, event, bytes);
    if (likely(kept)) {
        settle(c);
    } else {
        abandon(c);
    }
}

static bool is_cut_off(const struct uring_connection *c)
{
    return scoreboard_cutting(c->loop->context.service->scoreboard);
}

static COLD void cut_off(struct uring_connection *c)
{
    pump_cut_off(&c->session, &c->loop->context);
    abandon(c);
}

/* While the server drains: reads an idle connection once more, and ends it if nothing has come. One that the ring still reads, or that
 * has bytes, has its turn later. */
static COLD void drain_idle(struct uring_connection *c)
{
    if (!session_idle(&c->session) || c->early != NULL || c->eof || c->rest != NULL) {
        return;
    }
    if (is_pending(c, RING_RECEIVE)) {
        cancel(c, RING_RECEIVE);
        return;
    }
    if (is_sending(c)) {
        queue(c);
        return;
    }
    char bytes[RING_BUFFER_SIZE];
    struct transfer read = transport_receive(c->fd, bytes, sizeof bytes, TRANSPORT_NO_WAIT);
    switch (read.outcome) {
    case TRANSPORT_MOVED: pump(c, IO_DATA, (struct span){.data = bytes, .length = read.length}); break;
    case TRANSPORT_RETRY:
    case TRANSPORT_INTERRUPTED: pump(c, IO_SHUTDOWN, PUMP_NO_BYTES); break;
    case TRANSPORT_END: pump(c, IO_EOF, PUMP_NO_BYTES); break;
    case TRANSPORT_ERROR: abandon(c); break;
    }
}

static COLD void end(struct uring_connection *c)
{
    if (is_sending(c) || c->rest != NULL) {
        if (c->rest == NULL) {
            queue(c);
        }
        return;
    }
    leave(c, session_close_mode(&c->session) == CLOSE_LINGERING);
}

/* What is rarely wanted. */
static NOINLINE void settle_other(struct uring_connection *c)
{
    unsigned wants = c->wants;
    if ((wants & WANT_CLOSE) != 0) {
        end(c);
        return;
    }
    if (wants == WANT_WORK) {
        queue(c);
        return;
    }
    bool asked = ((wants & WANT_WAIT) == 0 || await_alarm(c)) && ((wants & WANT_WRITE) == 0 || await_room(c));
    if ((wants & WANT_READ) == 0) {
        if (c->early != NULL) {
            cancel(c, RING_RECEIVE); /* the socket keeps the rest */
        }
    } else if (c->early != NULL || c->eof) {
        queue(c);
    } else if (!(c->loop->draining && session_idle(&c->session))) {
        asked = asked && await_bytes(c);
    }
    if (!asked) {
        abandon(c);
    } else if (c->loop->draining) {
        drain_idle(c);
    }
}

/* After a pass: sees to it that what the session wants takes place. */
static void settle(struct uring_connection *c)
{
    if (unlikely(c->list != URING_RESTARTED) && session_timer_take(&c->session)) {
        uring_connection_move(c, URING_RESTARTED);
    }
    unsigned wants = session_wants(&c->session, &c->loop->context);
    c->wants = (uint8_t)wants;
    if (unlikely(wants != WANT_READ || !is_pending(c, RING_RECEIVE) || c->early != NULL || c->eof ||
                 c->loop->draining)) {
        settle_other(c);
    }
}

/* ---- completions ---- */

/* Whether the session can be given bytes now. */
static bool takes_bytes(const struct uring_connection *c)
{
    return (c->wants & WANT_READ) != 0 && c->early == NULL && c->rest == NULL && !is_sending(c) &&
           !(c->loop->draining && is_pending(c, RING_RECEIVE));
}

static NOINLINE void received_other(struct uring_connection *c, const struct ring_completion *completion)
{
    int result = completion->result;
    if (c->ending) {
        finish(c);
        return;
    }
    if (result > 0) {
        if (!keep_early(c, completion->bytes, (size_t)result)) {
            abandon(c);
            return;
        }
    } else if (result == 0) {
        c->eof = true;
    } else if (result != -ENOBUFS && result != -ECANCELED && result != -EINTR && result != -EAGAIN) {
        abandon(c);
        return;
    }
    queue(c);
}

static void received(struct uring_connection *c, const struct ring_completion *completion)
{
    if (!completion->more) {
        completed(c, RING_RECEIVE);
    }
    if (likely(completion->result > 0 && !c->ending && takes_bytes(c))) {
        pump(c, IO_DATA, (struct span){.data = completion->bytes, .length = (size_t)completion->result});
    } else {
        received_other(c, completion);
    }
}

/* The socket is full, or broken. */
static COLD void not_sent(struct uring_connection *c, int result)
{
    if (c->ending) {
        c->lingers = false;
        return;
    }
    size_t sent = result > 0 ? (size_t)result : 0;
    if (result < 0 && result != -EAGAIN) {
        abandon(c);
        return;
    }
    c->rest = chunk_new(c, c->sent + sent, c->sent_length - sent);
    if (c->rest == NULL || !await_room(c)) {
        abandon(c);
        return;
    }
    c->since = clock_coarse_ms();
    uring_connection_move(c, (enum uring_list)TIMER_BODY);
}

static void become_due(struct uring_connection *c, enum ring_tag tag, enum uring_due due)
{
    completed(c, tag);
    if (c->ending) {
        finish(c);
        return;
    }
    c->due |= (uint8_t)due;
    queue(c);
}

void uring_connection_complete(struct uring_connection *c, const struct ring_completion *completion)
{
    switch (completion->tag) {
    case RING_RECEIVE: received(c, completion); break;
    case RING_SEND: not_sent(c, completion->result); break;
    case RING_WRITABLE: become_due(c, RING_WRITABLE, URING_DUE_WRITABLE); break;
    case RING_ALARM: become_due(c, RING_ALARM, URING_DUE_ALARM); break;
    case RING_NONE:
    case RING_WAKEUP:
    case RING_TAGS: break;
    }
}

/* ---- its turn in the queue ---- */

static COLD void send_rest(struct uring_connection *c)
{
    struct uring_chunk *rest = c->rest;
    struct transfer sent = transport_send(c->fd, rest->bytes + rest->done, rest->length - rest->done);
    if (sent.outcome == TRANSPORT_END || sent.outcome == TRANSPORT_ERROR) {
        abandon(c);
        return;
    }
    rest->done += (uint32_t)sent.length;
    c->since = clock_coarse_ms();
    if (rest->done < rest->length) {
        uring_connection_move(c, (enum uring_list)TIMER_BODY);
        if (!await_room(c)) {
            abandon(c);
        }
        return;
    }
    chunk_free(c, rest);
    c->rest = NULL;
    uring_connection_move(c, URING_RESTARTED);
    settle(c);
}

static COLD void run_work(struct uring_connection *c)
{
    struct work *work = session_work(&c->session);
    struct counters *counters = c->loop->context.counters;
    access_log_flush(&c->loop->context);
    counters_show(counters, ACTIVITY_WORKING);
    work->run(work);
    counters_show(counters, ACTIVITY_NONE);
    if (is_cut_off(c)) {
        cut_off(c);
    } else {
        pump(c, IO_RESUMED, PUMP_NO_BYTES);
    }
}

/* The kernel's clock and ours may differ by a little. */
static COLD void alarm_rings(struct uring_connection *c)
{
    if ((c->wants & WANT_WAIT) == 0 || clock_us() < c->alarm_us) {
        settle(c);
    } else {
        pump(c, IO_RESUMED, PUMP_NO_BYTES);
    }
}

static COLD void time_out(struct uring_connection *c)
{
    if (c->rest != NULL) {
        abandon(c);
    } else if (c->list != URING_RESTARTED && c->session.timer != TIMER_NONE) {
        pump(c, IO_TIMEOUT, PUMP_NO_BYTES);
    }
}

/* The first of the things that are due; if there are more, it has another turn. */
static COLD void look_at_due(struct uring_connection *c)
{
    unsigned first = c->due & -(unsigned)c->due;
    c->due &= (uint8_t)~first;
    if (c->due != 0) {
        queue(c);
    }
    switch ((enum uring_due)first) {
    case URING_DUE_WRITABLE:
        if (c->rest != NULL) {
            send_rest(c);
        } else {
            pump(c, IO_WRITABLE, PUMP_NO_BYTES);
        }
        break;
    case URING_DUE_ALARM: alarm_rings(c); break;
    case URING_DUE_TIMEOUT: time_out(c); break;
    }
}

static bool takes_early(const struct uring_connection *c)
{
    return (c->wants & WANT_READ) != 0 && !(c->loop->draining && is_pending(c, RING_RECEIVE));
}

static void feed_early(struct uring_connection *c)
{
    struct uring_chunk *chunk = take_early(c);
    struct uring_loop *loop = c->loop;
    pump(c, IO_DATA, (struct span){.data = chunk->bytes, .length = chunk->length});
    budget_free(loop->context.output.budget, chunk, sizeof(*chunk) + chunk->length);
}

void uring_connection_look(struct uring_connection *c)
{
    c->queued = false;
    if (c->ending) {
        finish(c);
    } else if (is_sending(c)) {
        queue(c);
    } else if (c->due != 0) {
        look_at_due(c);
    } else if (c->rest != NULL) {
        return; /* until the socket takes it */
    } else if (c->wants == WANT_WORK) {
        run_work(c);
    } else if (c->early != NULL && takes_early(c)) {
        feed_early(c);
    } else if (c->eof && c->early == NULL && (c->wants & WANT_READ) != 0) {
        c->eof = false;
        pump(c, IO_EOF, PUMP_NO_BYTES);
    } else {
        settle(c);
    }
}

/* ---- from the loop ---- */

struct uring_connection *uring_connection_new(struct uring_loop *loop, const struct accepted *accepted)
{
    struct uring_connection *c = malloc(sizeof(*c));
    if (c == NULL) {
        return NULL;
    }
    memset(c, 0, offsetof(struct uring_connection, session));
    c->loop = loop;
    c->fd = accepted->fd;
    c->wants = WANT_READ;
    c->list = URING_RESTARTED;
    session_init(&c->session, accepted->number, &accepted->peer, REFUSAL_NOT);
    return c;
}

void uring_connection_begin(struct uring_connection *c)
{
    struct uring_loop *loop = c->loop;
    counters_add(&loop->context.counters->connections, 1);
    TAILQ_INSERT_TAIL(&loop->lists[URING_RESTARTED], c, others);
    loop->count++;
    uring_loop_sweep_from_now(loop);
    settle(c);
}

static bool was_reset(const struct uring_connection *c)
{
    struct pollfd socket = {.fd = c->fd};
    return poll(&socket, 1, 0) == 1 && (socket.revents & (POLLERR | POLLHUP)) != 0;
}

void uring_connection_due(struct uring_connection *c)
{
    if (c->list != TIMER_NONE) {
        c->due |= URING_DUE_TIMEOUT;
        queue(c);
    } else if (was_reset(c)) {
        abandon(c);
    }
}

void uring_connection_drain(struct uring_connection *c, bool cutting)
{
    cancel(c, RING_RECEIVE);
    if (!session_idle(&c->session)) {
        if (cutting) {
            cut_off(c);
        }
    } else if (c->rest == NULL) {
        drain_idle(c);
    } else if (cutting) {
        abandon(c);
    }
}

enum activity uring_connection_activity(const struct uring_connection *c)
{
    if (c->rest != NULL) {
        return ACTIVITY_SENDING;
    }
    switch ((enum timer)c->session.timer) {
    case TIMER_NONE: return (c->wants & WANT_WAIT) != 0 ? ACTIVITY_WAITING : ACTIVITY_WORKING;
    case TIMER_IDLE: return ACTIVITY_IDLE;
    case TIMER_HEADER: return ACTIVITY_READING;
    case TIMER_BODY: return c->session.out_committed > 0 ? ACTIVITY_SENDING : ACTIVITY_READING;
    }
    __builtin_unreachable();
}
