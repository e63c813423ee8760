/* SPDX-License-Identifier: MIT */
/* The blocking loop. Between requests it waits in recv, with the socket's receive timeout; within a request it waits in
 * poll, until the session's deadline. In the steady state its only system calls are recv and send. */
#include "server/drivers/blocking/blocking.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "common/base/trace.h"
#include "server/drivers/shared/lingering.h"

#define CONVERSATION struct blocking
#include "server/drivers/blocking/conversation.h"

/* A thread that waits for longer than BLOCKING_BRIEF_MS gives back the pages that it uses only while processing. */
enum { BLOCKING_BRIEF_MS = 100, BLOCKING_PAGE = 4096 };

/* Gives back the pages of `scratch` and `input`, which hold nothing between passes. */
static void blocking_give_back(struct blocking *b)
{
    uintptr_t begin = ((uintptr_t)b->scratch + BLOCKING_PAGE - 1) & ~(uintptr_t)(BLOCKING_PAGE - 1);
    uintptr_t end = (uintptr_t)(b->input + sizeof(b->input)) & ~(uintptr_t)(BLOCKING_PAGE - 1);
    madvise((void *)begin, end - begin, MADV_DONTNEED);
}

/* Whether nearly half of the budget is held: then reads are small, and every wait gives pages back. The bytes that a
 * thread has read may be in memory twice: where the session keeps them, and in `input`, which the budget does not
 * count, until the thread gives the pages of `input` back. */
static bool blocking_pressed(const struct blocking *b)
{
    struct budget budget = b->context.output.budget;
    return budget_tight_with(budget, budget.scoreboard->held_limit / 2);
}

/* Like poll, but gives pages back when the wait becomes long: then the thread holds only the memory of an idle
 * connection, and what the budget counts. */
static int blocking_poll(struct blocking *b, struct pollfd *socket, int timeout_ms)
{
    int brief = blocking_pressed(b) ? 0 : BLOCKING_BRIEF_MS;
    bool within = timeout_ms >= 0 && timeout_ms <= brief;
    int ready = poll(socket, 1, within ? timeout_ms : brief);
    if (ready != 0 || within) {
        return ready;
    }
    blocking_give_back(b);
    return poll(socket, 1, timeout_ms < 0 ? -1 : timeout_ms - brief);
}

static size_t blocking_read_size(const struct blocking *b)
{
    return blocking_pressed(b) ? BLOCKING_PAGE : pump_read_size(&b->context, sizeof(b->input));
}

static struct transfer blocking_receive(struct blocking *b, enum transport_wait wait)
{
    return b->large ? transport_receive(b->fd, b->input, blocking_read_size(b), wait)
                    : transport_receive(b->fd, b->first, sizeof(b->first), wait);
}

static struct context *conversation_context(struct blocking *b)
{
    return &b->context;
}

static void conversation_show(struct blocking *b, enum activity activity)
{
    counters_show(b->context.counters, activity);
}

static bool conversation_may_read(struct blocking *b)
{
    (void)b;
    return true;
}

static struct transfer conversation_receive(struct blocking *b)
{
    return blocking_receive(b, TRANSPORT_NO_WAIT);
}

static struct span conversation_bytes(struct blocking *b, size_t length)
{
    struct span bytes = {.data = b->large ? b->input : b->first, .length = length};
    b->large |= length == sizeof(b->first);
    return bytes;
}

static enum conversation_event conversation_wait(struct blocking *b, unsigned wants, int timeout_ms)
{
    struct pollfd socket = {.fd = b->fd};
    socket.events =
        (short)(((wants & WANT_READ) != 0 ? POLLIN : 0) | ((wants & WANT_WRITE) != 0 ? POLLOUT : 0));
    int ready = blocking_poll(b, &socket, timeout_ms);
    if (ready == 0) {
        return CONVERSATION_TIMEOUT;
    }
    if (ready < 0 || (socket.revents & POLLIN) != 0) {
        return CONVERSATION_GO_ON; /* interrupted, or it is read next */
    }
    return (socket.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0 ? CONVERSATION_BROKEN
                                                                  : CONVERSATION_WRITABLE;
}

static enum io_event conversation_run(struct blocking *b, struct work *work)
{
    (void)b;
    work_run(work);
    return IO_RESUMED;
}

static bool conversation_is_closing(const struct blocking *b)
{
    return atomic_load_explicit(b->closing, memory_order_relaxed);
}

static void conversation_flush_log(struct blocking *b)
{
    access_log_flush(&b->context);
}

/* Whether the idle timeout is over. The socket's receive timeout may be only a part of it, so that the thread can check
 * for other things in between. */
static bool blocking_idle_too_long(struct blocking *b)
{
    uint64_t now = clock_ms();
    if (session_timer_take(&b->session)) {
        b->idle_since = now - b->receive_ms;
    }
    return now - b->idle_since >= b->server->timeouts.limit[TIMER_IDLE];
}

/* Called when a signal has interrupted the wait. The socket's timeout then begins again, because the time already
 * waited is not known. All interruptions together prolong an idle connection by less than two idle timeouts. */
static COLD bool blocking_idle_interrupted(struct blocking *b)
{
    if (session_timer_take(&b->session)) {
        b->idle_since = clock_ms();
        return true;
    }
    return blocking_idle_too_long(b) ? conversation_pump(b, IO_TIMEOUT, PUMP_NO_BYTES) : true;
}

static void blocking_set_receive_timeout(struct blocking *b, uint64_t most)
{
    uint64_t limit = b->server->timeouts.limit[TIMER_IDLE];
    if (most != 0 && most < limit) {
        limit = most;
    }
    if (limit == b->receive_ms) {
        return;
    }
    b->receive_ms = limit;
    struct timeval timeout = {.tv_sec = (time_t)(limit / 1000),
                              .tv_usec = (suseconds_t)(limit % 1000 * 1000)};
    setsockopt(b->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
}

/* Log lines must not wait for the next request. So the receive timeout is short while there are some. */
static COLD void blocking_mind_log(struct blocking *b)
{
    bool soon = access_log_has_lines(&b->context);
    blocking_set_receive_timeout(b, soon ? LOG_WAIT_US / 1000 : b->poll_interval_ms);
}

/* Whether the connection, silent for the poll interval, must end because other connections wait for a worker. A
 * connection that has not sent a request yet does not end. */
static bool blocking_gives_way(const struct blocking *b)
{
    return b->session.requests > 0 && context_must_yield(&b->context);
}

/* Between requests. Bytes that have come are served even when the server drains. */
static bool conversation_await_request(struct blocking *b)
{
    if (unlikely(b->context.log != NULL)) {
        blocking_mind_log(b);
    }
    counters_show(b->context.counters, ACTIVITY_IDLE);
    bool closing = conversation_is_closing(b);
    struct transfer read = blocking_receive(b, closing ? TRANSPORT_NO_WAIT : TRANSPORT_WAIT);
    counters_show(b->context.counters, ACTIVITY_READING);
    if (likely(read.outcome != TRANSPORT_RETRY && read.outcome != TRANSPORT_INTERRUPTED)) {
        return conversation_take(b, read);
    }
    if (read.outcome == TRANSPORT_INTERRUPTED) {
        return blocking_idle_interrupted(b);
    }
    access_log_flush(&b->context);
    if (b->session.refusing != REFUSAL_NOT) { /* its 503 does not wait for a request */
        return conversation_pump(b, IO_TIMEOUT, PUMP_NO_BYTES);
    }
    if (closing || blocking_idle_too_long(b)) {
        return conversation_pump(b, closing ? IO_SHUTDOWN : IO_TIMEOUT, PUMP_NO_BYTES);
    }
    return blocking_gives_way(b) ? conversation_pump(b, IO_SHUTDOWN, PUMP_NO_BYTES) : true;
}

/* Waits for bytes, or until it is time to look around; false once it is over. */
static bool blocking_go_on_lingering(struct blocking *b, struct lingering *lingering)
{
    const struct counters *counters = b->context.counters;
    struct pollfd socket = {.fd = b->fd, .events = POLLIN};
    uint64_t left = left_of(lingering_deadline(lingering), clock_ms());
    int ready = poll(&socket, lingering->unread ? 0 : 1,
                     left < LINGER_POLL_INTERVAL_MS ? (int)left : LINGER_POLL_INTERVAL_MS);
    uint64_t now = clock_ms();
    if (atomic_load_explicit(&counters->place_wanted, memory_order_relaxed) &&
        lingering_may_give_way(lingering, now)) {
        return false;
    }
    size_t size = pump_read_size(&b->context, sizeof(b->scratch));
    return lingering_advance(lingering, b->fd, ready > 0, b->scratch, size, now);
}

/* On TCP that takes none of the memory used while processing. */
void blocking_linger(struct blocking *b)
{
    struct counters *counters = b->context.counters;
    struct lingering lingering = lingering_begin(b->fd, clock_ms(), LINGER_WHOLE_MS);
    counters_show(counters, ACTIVITY_LINGERING);
    TRACE(linger_begin, b->session.number, UINT64_C(0));
    blocking_give_back(b);
    connection_count_linger_begin(&b->server->connections, true);
    atomic_store_explicit(&counters->place_wanted, false, memory_order_relaxed);
    atomic_store_explicit(&counters->lingering_since_ms, lingering.began, memory_order_relaxed);
    lingering_shut_down(b->fd);
    while (blocking_go_on_lingering(b, &lingering)) {
    }
    TRACE(linger_end, b->session.number, UINT64_C(0));
}

/* The counters show that the connection lingers until its place is free. Otherwise the acceptor would ask another
 * lingering connection for a place that is about to become free anyway. */
void blocking_leave(struct connection_count *count, struct counters *counters)
{
    if (atomic_load_explicit(&counters->lingering_since_ms, memory_order_relaxed) != 0) {
        connection_count_linger_end(count, true);
    }
    connection_count_drop(count);
    atomic_store_explicit(&counters->lingering_since_ms, 0, memory_order_relaxed);
}

bool blocking_serve(struct blocking *b, const struct accepted *accepted, struct counters *counters,
                    enum refusal refusing)
{
    TRACE(take_over, accepted->number, UINT64_C(0));
    b->fd = accepted->fd;
    b->large = false;
    context_init(&b->context, &b->server->service, counters, b->scratch, sizeof(b->scratch));
    b->context.yield_when_unserved = b->yield_when_unserved;
    access_log_lend(b->server->log, &b->log, &b->context, b->log_text, sizeof(b->log_text));
    session_init(&b->session, accepted->number, &accepted->peer, refusing);
    b->since_ms = b->accepted_ms != 0 ? b->accepted_ms : clock_ms();
    counters_show(counters, ACTIVITY_READING);
    counters_add(&counters->connections, 1);
    b->receive_ms = 0;
    blocking_set_receive_timeout(b, b->poll_interval_ms);
    enum close_mode close_mode = conversation_end(b, conversation_hold(b));
    access_log_end(&b->context, ACCESS_LOG_THREAD_WAIT_MS);
    switch (close_mode) {
    case CLOSE_LINGERING:
        if (b->linger_elsewhere) {
            blocking_give_back(b);
            counters_show(counters, ACTIVITY_NONE);
            return false;
        }
        blocking_linger(b);
        break;
    case CLOSE_RESET: transport_reset(b->fd); break;
    case CLOSE_NOW:
    case CLOSE_ABORT: break;
    }
    counters_show(counters, ACTIVITY_NONE);
    return true;
}
