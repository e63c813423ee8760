/* SPDX-License-Identifier: MIT */
/* How a connection is served by completions, from its first receive to its close. */
#include "server/drivers/uring/uring_connection.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "server/drivers/shared/pump.h"
#include "server/drivers/uring/uring_operation.h"
#include "server/drivers/uring/uring_output.h"
#include "server/net/transport.h"

/* ---- the end ---- */

/* Closes the connection and frees it, unless an operation is still pending: the completion of that operation calls this again. */
static void finish(struct uring_connection *c)
{
    if ((c->pending & ~c->cancelled) != 0) { /* there was no room to cancel it */
        uring_cancel_all(c);
        uring_core_queue(c);
    }
    if (uring_is_sending(c)) {
        uring_core_queue(c);
    }
    if (c->pending != 0 || c->queued) {
        return;
    }
    struct uring_loop *loop = c->loop;
    struct accepted accepted = {.fd = c->fd, .peer = c->session.peer, .number = c->session.number};
    bool lingers = c->lingers;
    loop->ending--;
    free(c);
    if (!lingers || lingerers_put(loop->lingerers, &accepted) != 0) {
        TRACE(close, accepted.number, UINT64_C(0));
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
    buffer_free(&c->early, uring_budget(c));
    buffer_free(&c->rest, uring_budget(c));
    TAILQ_REMOVE(&loop->lists[c->list], c, others);
    loop->count--;
    loop->ending++;
    c->ending = true;
    c->lingers = lingers;
    uring_cancel_all(c);
    finish(c);
}

static COLD void abandon(struct uring_connection *c)
{
    leave(c, false);
}

/* ---- passes ---- */

static void settle(struct uring_connection *c);

/* A pass that may write the socket, but not read it. False if the connection is lost. */
static ALWAYS_INLINE bool feed(struct uring_connection *c, struct span bytes)
{
    struct uring_loop *loop = c->loop;
    loop->sender = c;
    loop->context.take_output = uring_output_take;
    loop->context.holds_output = c->rest != NULL || uring_is_sending(c);
    bool kept = session_pump(&c->session, &loop->context, c->fd, IO_DATA, bytes);
    loop->context.take_output = NULL;
    loop->context.holds_output = false;
    return kept;
}

/* Gives the session bytes that have just come, while no earlier ones wait. Called within ring_take: the socket may be written, but not
 * read. */
static void pump_bytes(struct uring_connection *c, struct span bytes)
{
    if (likely(feed(c, bytes))) {
        settle(c);
    } else {
        abandon(c);
    }
}

static bool has_dropped_input(const struct uring_connection *c)
{
    return c->session.input_dropped != INPUT_KEPT;
}

/* There is no memory to keep bytes that came early: the session must take them now, or refuse them behind the present answer. */
static COLD void pump_too_early(struct uring_connection *c, struct span bytes)
{
    struct buffer *early = c->early;
    c->early = NULL;
    bool kept = early == NULL || feed(c, buffer_span(early));
    buffer_free(&early, uring_budget(c));
    if (kept && !has_dropped_input(c)) {
        kept = feed(c, bytes);
    }
    if (kept) {
        settle(c);
    } else {
        abandon(c);
    }
}

static bool is_draining(const struct uring_connection *c)
{
    return scoreboard_draining(c->loop->context.service->scoreboard);
}

/* A pass that reads and writes by system calls. Only from the queue, when all earlier completions have been handled, and not while a send
 * is pending. */
static COLD void pump_late(struct uring_connection *c, struct span bytes, enum io_event event)
{
    if (session_pump(&c->session, &c->loop->context, c->fd, event, bytes)) {
        settle(c);
    } else {
        abandon(c);
    }
}

/* The same, with the bytes that came early if the session takes them now. */
static COLD void pump(struct uring_connection *c, enum io_event event)
{
    struct buffer *early = NULL;
    struct budget budget = uring_budget(c);
    if (event == IO_LATE || is_draining(c)) {
        early = c->early;
        c->early = NULL;
    }
    pump_late(c, buffer_span(early), event);
    buffer_free(&early, budget);
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

/* Reads once by a call. `nothing` is the event if no bytes have come. Only from the queue, while no send is pending and there is no
 * rest. */
static COLD void read_socket(struct uring_connection *c, enum io_event nothing)
{
    struct uring_loop *loop = c->loop;
    size_t size = pump_read_size(&loop->context, URING_INPUT_SIZE);
    struct transfer read = transport_receive(c->fd, loop->input, size, TRANSPORT_NO_WAIT);
    struct span bytes = {.data = loop->input, .length = read.length};
    switch (read.outcome) {
    case TRANSPORT_MOVED: pump_late(c, bytes, IO_DATA); break;
    case TRANSPORT_RETRY:
    case TRANSPORT_INTERRUPTED: pump(c, nothing); break;
    case TRANSPORT_END: pump(c, IO_EOF); break;
    case TRANSPORT_ERROR: abandon(c); break;
    }
}

static bool is_idle(const struct uring_connection *c)
{
    return session_idle(&c->session) && c->early == NULL && !c->eof && c->rest == NULL;
}

/* Whether a drain ends the connection now: it is idle, or its answer would go on for as long as the client likes. */
static bool is_drainable(const struct uring_connection *c)
{
    return is_idle(c) || (session_drainable(&c->session) && !session_idle(&c->session) && c->rest == NULL);
}

/* Whether the session can be given what came early: in a drain, only when it can also be sent what follows. */
static bool can_feed_early(const struct uring_connection *c)
{
    return c->early != NULL && (c->wants & WANT_READ) != 0 && (c->rest == NULL || !is_draining(c));
}

static COLD void end(struct uring_connection *c)
{
    if (uring_is_sending(c) || c->rest != NULL) {
        if (c->rest == NULL) {
            uring_core_queue(c);
        }
        return;
    }
    switch (session_close_mode(&c->session)) {
    case CLOSE_LINGERING: leave(c, true); break;
    case CLOSE_NOW: leave(c, c->early != NULL); break;
    case CLOSE_RESET:
        transport_reset(c->fd);
        leave(c, false);
        break;
    case CLOSE_ABORT: leave(c, false); break;
    }
}

/* Everything that a session rarely wants. What the full ring has no room for is asked for after the next system call. In a drain an idle
 * connection is read by a call, so no receive is asked for, which could take its bytes. */
static NOINLINE void settle_other(struct uring_connection *c)
{
    unsigned wants = c->wants;
    if ((wants & WANT_CLOSE) != 0) {
        end(c);
        return;
    }
    if (c->loop->draining && is_drainable(c)) {
        uring_core_queue(c);
        return;
    }
    c->reads_by_call = c->reads_by_call && c->session.state == STATE_BODY && c->rest == NULL;
    if (c->reads_by_call || ((wants & WANT_READ) == 0 && (c->early != NULL || uring_is_memory_short(c)))) {
        uring_cancel(c, RING_RECEIVE); /* the socket keeps the rest */
    }
    if (wants == WANT_WORK) {
        uring_core_queue_work(c);
        return;
    }
    bool asked = ((wants & WANT_WAIT) == 0 || uring_await_alarm(c)) &&
                 ((wants & WANT_WRITE) == 0 || uring_await_room(c));
    if ((wants & WANT_READ) != 0 && c->early == NULL && !c->eof) {
        asked = asked && uring_await_bytes(c);
    } else if ((wants & WANT_READ) != 0 && (c->rest == NULL || can_feed_early(c))) {
        uring_core_queue(c);
    }
    if (!asked) {
        uring_core_queue(c);
    }
}

/* After a pass: asks the ring, or the loop, for what the session wants. */
static void settle(struct uring_connection *c)
{
    if (unlikely(c->list != URING_RESTARTED) && c->rest == NULL && session_timer_take(&c->session)) {
        uring_core_move(c, URING_RESTARTED);
    }
    unsigned wants = uring_output_wants(c);
    c->wants = (uint8_t)wants;
    if (unlikely(wants != WANT_READ || !uring_is_pending(c, RING_RECEIVE) || c->early != NULL || c->eof ||
                 c->reads_by_call || c->loop->draining)) {
        settle_other(c);
    }
}

/* ---- completions ---- */

/* Whether the session can be given bytes now. In a drain the last answer depends on what follows it, so bytes are kept until all that came
 * can be given to the session at once. */
static bool takes_bytes(const struct uring_connection *c)
{
    return (c->wants & WANT_READ) != 0 && c->early == NULL && !uring_is_sending(c) && !is_draining(c);
}

/* Keeps bytes that the session does not want yet, and stops the receive before there are too many: the socket keeps the others. */
static bool keep_early(struct uring_connection *c, struct span bytes)
{
    enum { EARLY_MAX = 64 * 1024 };
    if (buffer_append(&c->early, bytes.data, bytes.length, uring_budget(c), BUDGET_MUST_KEEP) != 0) {
        return false;
    }
    if (buffer_length(c->early) >= EARLY_MAX || (c->wants & WANT_READ) == 0 || uring_is_memory_short(c)) {
        uring_cancel(c, RING_RECEIVE);
    }
    return true;
}

static NOINLINE void received_other(struct uring_connection *c, const struct ring_completion *completion)
{
    int result = completion->result;
    if (c->ending) {
        finish(c);
        return;
    }
    c->without_buffer = result == -ENOBUFS;
    if (result > 0) {
        struct span bytes = {.data = completion->bytes, .length = (size_t)result};
        if (has_dropped_input(c)) {
            uring_cancel(c, RING_RECEIVE); /* what follows dropped bytes is of no use */
        } else if (!keep_early(c, bytes)) {
            pump_too_early(c, bytes);
            return;
        }
    } else if (result == 0) {
        c->eof = true;
    } else if (result != -ENOBUFS && result != -ECANCELED && result != -EINTR && result != -EAGAIN) {
        abandon(c);
        return;
    }
    uring_core_queue(c);
}

void uring_connection_pass_gathered(struct uring_loop *loop)
{
    struct uring_connection *c = loop->gatherer;
    if (c != NULL) {
        loop->gatherer = NULL;
        pump_bytes(c, (struct span){.data = loop->input, .length = loop->gathered});
    }
}

/* Of a large body many buffers may have come before the receive stops. One pass for all of them costs less than a pass for each. */
static COLD void gather(struct uring_connection *c, struct span bytes)
{
    struct uring_loop *loop = c->loop;
    if (loop->gatherer == NULL) {
        loop->gatherer = c;
        loop->gathered = 0;
    }
    memcpy(loop->input + loop->gathered, bytes.data, bytes.length);
    loop->gathered += bytes.length;
    size_t most = pump_read_size(&loop->context, URING_INPUT_SIZE);
    if (bytes.length < RING_BUFFER_SIZE || loop->gathered + RING_BUFFER_SIZE > most) {
        uring_connection_pass_gathered(loop);
    }
}

static void received(struct uring_connection *c, const struct ring_completion *completion)
{
    if (!completion->more) {
        uring_completed(c, RING_RECEIVE);
    }
    struct span bytes = {.data = completion->bytes, .length = (size_t)completion->result};
    bool gathers = c->loop->gatherer == c; /* then the session takes these bytes, too */
    if (unlikely(completion->result <= 0 || (!gathers && (c->ending || !takes_bytes(c))))) {
        received_other(c, completion);
        return;
    }
    c->reads_by_call |= bytes.length == RING_BUFFER_SIZE && c->session.state == STATE_BODY;
    if (unlikely(c->reads_by_call)) {
        gather(c, bytes);
    } else {
        pump_bytes(c, bytes);
    }
}

static COLD void not_sent(struct uring_connection *c, int result)
{
    if (!uring_output_not_sent(c, result)) {
        abandon(c);
    }
}

static void become_due(struct uring_connection *c, enum ring_tag tag, enum uring_due due)
{
    uring_completed(c, tag);
    if (c->ending) {
        finish(c);
        return;
    }
    c->due |= (uint8_t)due;
    uring_core_queue(c);
}

void uring_connection_complete(struct uring_connection *c, const struct ring_completion *completion)
{
    switch (completion->tag) {
    case RING_RECEIVE: received(c, completion); break;
    case RING_SEND: not_sent(c, completion->result); break;
    case RING_READABLE: become_due(c, RING_READABLE, URING_DUE_READABLE); break;
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
    if (!uring_output_send_rest(c)) {
        abandon(c);
    } else if (c->rest == NULL) {
        settle(c);
    }
}

/* The socket is readable, within a large body. What came early goes first. */
static COLD void read_body(struct uring_connection *c)
{
    if ((c->wants & WANT_READ) != 0 && c->early == NULL && c->rest == NULL) {
        read_socket(c, IO_WRITABLE);
    } else {
        settle(c);
    }
}

static COLD void run_work(struct uring_connection *c)
{
    struct work *work = session_work(&c->session);
    struct counters *counters = c->loop->context.counters;
    access_log_flush(&c->loop->context);
    ring_submit(&c->loop->ring); /* the answers of others do not wait for it */
    counters_show(counters, ACTIVITY_WORKING);
    work_run(work);
    counters_show(counters, ACTIVITY_NONE);
    if (is_cut_off(c)) {
        cut_off(c);
    } else if (is_draining(c) && ring_has_completions(&c->loop->ring)) {
        /* The pass may read the socket, so all earlier completions must be handled first. */
        c->due |= URING_DUE_WORKED;
        uring_core_queue(c);
    } else {
        pump(c, IO_RESUMED);
    }
}

/* The kernel's clock and ours may differ by a little. */
static COLD void alarm_rings(struct uring_connection *c)
{
    if (c->rest != NULL) {
        return; /* settle asks for another alarm when the rest is sent */
    }
    if ((c->wants & WANT_WAIT) == 0 || clock_us() < c->alarm_us) {
        settle(c);
    } else {
        pump(c, IO_RESUMED);
    }
}

/* While the rest of an answer waits, nothing may be sent by a call. */
static void feed_early(struct uring_connection *c)
{
    if (is_draining(c) && c->rest == NULL) {
        pump(c, IO_LATE);
        return;
    }
    struct budget budget = uring_budget(c);
    struct buffer *early = c->early;
    c->early = NULL;
    pump_bytes(c, buffer_span(early));
    buffer_free(&early, budget);
}

static COLD void time_out(struct uring_connection *c)
{
    if (c->rest != NULL) {
        abandon(c);
    } else if (can_feed_early(c)) {
        feed_early(c); /* it was in time */
    } else if (c->list != URING_RESTARTED && c->session.timer != TIMER_NONE) {
        pump(c, IO_TIMEOUT);
    } else {
        settle(c);
    }
}

/* Handles the first of the things that are due; if there are more, the connection is queued again. */
static COLD void look_at_due(struct uring_connection *c)
{
    unsigned first = c->due & -(unsigned)c->due;
    c->due &= (uint8_t)~first;
    if (c->due != 0) {
        uring_core_queue(c);
    }
    switch ((enum uring_due)first) {
    case URING_DUE_WRITABLE:
        if (c->rest != NULL) {
            send_rest(c);
        } else {
            pump(c, IO_WRITABLE);
        }
        break;
    case URING_DUE_READABLE: read_body(c); break;
    case URING_DUE_ALARM: alarm_rings(c); break;
    case URING_DUE_TIMEOUT: time_out(c); break;
    case URING_DUE_WORKED: pump(c, IO_RESUMED); break;
    }
}

/* Returns false if there is nothing to do. */
static COLD bool look_at_wants(struct uring_connection *c, bool may_work)
{
    if (c->wants == WANT_WORK && may_work) {
        run_work(c);
    } else if (c->eof && c->early == NULL && (c->wants & WANT_READ) != 0) {
        c->eof = false;
        pump(c, IO_EOF);
    } else if (c->loop->draining && is_idle(c)) {
        read_socket(c, IO_SHUTDOWN); /* ends it if nothing has come */
    } else {
        return false;
    }
    return true;
}

void uring_connection_look(struct uring_connection *c, bool may_work)
{
    c->queued = false;
    if (c->ending) {
        finish(c);
    } else if (uring_is_sending(c)) {
        uring_core_queue(c);
    } else if (c->due != 0) {
        look_at_due(c);
    } else if (c->loop->draining && is_drainable(c) && !is_idle(c)) {
        pump(c, IO_SHUTDOWN); /* with what came early, of which a stall may have any number of bytes */
    } else if (can_feed_early(c)) {
        feed_early(c);
    } else if (c->rest != NULL || !look_at_wants(c, may_work)) {
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
    TRACE(take_over, c->session.number, UINT64_C(0));
    counters_add(&loop->context.counters->connections, 1);
    TAILQ_INSERT_TAIL(&loop->lists[URING_RESTARTED], c, others);
    loop->count++;
    uring_core_sweep_from_now(loop);
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
        uring_core_queue(c);
    } else if (was_reset(c)) {
        abandon(c);
    }
}

/* Whether input has come that the session waits for. */
static bool has_news(const struct uring_connection *c)
{
    return can_feed_early(c) || (c->eof && c->rest == NULL && (c->wants & WANT_READ) != 0);
}

/* A connection that has received new input is handled first; a later order cuts it off. */
void uring_connection_drain(struct uring_connection *c, bool cutting)
{
    if (is_drainable(c) || has_news(c)) {
        uring_core_queue(c);
    } else if (cutting) {
        cut_off(c);
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
