/* SPDX-License-Identifier: MIT */
#include "server/drivers/uring/uring_operation.h"

#include "common/base/clock.h"

/* `asked`: whether the ring had room for the operation. */
static bool begin(struct uring_connection *c, enum ring_tag tag, bool asked)
{
    if (asked) {
        c->pending |= (uint8_t)(1u << tag);
    }
    return asked;
}

void uring_cancel(struct uring_connection *c, enum ring_tag tag)
{
    unsigned bit = 1u << tag;
    if ((c->pending & bit) != 0 && (c->cancelled & bit) == 0 && ring_cancel(&c->loop->ring, c, tag)) {
        c->cancelled |= (uint8_t)bit;
    }
}

void uring_completed(struct uring_connection *c, enum ring_tag tag)
{
    c->pending &= (uint8_t) ~(1u << tag);
    c->cancelled &= (uint8_t) ~(1u << tag);
}

bool uring_is_memory_short(const struct uring_connection *c)
{
    enum { TURN_MAX = RING_BUFFERS * RING_BUFFER_SIZE };
    struct budget budget = uring_budget(c);
    uint64_t half = budget.scoreboard->held_limit / 2;
    return budget_tight_with(budget, half > TURN_MAX ? half : TURN_MAX);
}

/* Whether it has to wait until others have taken the buffers of a turn: more receives would find none, either. */
static bool waits_for_buffers(struct uring_connection *c)
{
    if (c->without_buffer && c->loop->retried >= c->loop->ring.buffer_count) {
        return true;
    }
    c->loop->retried += c->without_buffer;
    c->without_buffer = false;
    return false;
}

/* The first request comes by a single receive: if it is the connection's last, there is nothing to cancel. On a unix socket a
 * multishot may miss the end (fixed in Linux in 2026). */
bool uring_await_bytes(struct uring_connection *c)
{
    if (uring_is_pending(c, RING_RECEIVE) || uring_is_pending(c, RING_READABLE)) {
        return true;
    }
    if (c->reads_by_call) {
        return begin(c, RING_READABLE, ring_await_readable(&c->loop->ring, c->fd, c));
    }
    bool again = c->session.requests > 0 && c->session.peer.family != AF_UNIX && !uring_is_memory_short(c);
    return !waits_for_buffers(c) && begin(c, RING_RECEIVE, ring_receive(&c->loop->ring, c->fd, again, c));
}

bool uring_await_room(struct uring_connection *c)
{
    return uring_is_pending(c, RING_WRITABLE) ||
           begin(c, RING_WRITABLE, ring_await_writable(&c->loop->ring, c->fd, c));
}

bool uring_await_alarm(struct uring_connection *c)
{
    uint64_t now = clock_us();
    if (session_wait_take(&c->session)) {
        c->alarm_us = now + session_wait_ms(&c->session) * 1000;
    }
    if (uring_is_pending(c, RING_ALARM)) {
        return true;
    }
    uint64_t left = c->alarm_us > now ? c->alarm_us - now : 0;
    c->alarm = (struct __kernel_timespec){.tv_sec = (int64_t)(left / 1000000),
                                          .tv_nsec = (int64_t)(left % 1000000 * 1000)};
    return begin(c, RING_ALARM, ring_alarm(&c->loop->ring, &c->alarm, c));
}

void uring_cancel_all(struct uring_connection *c)
{
    uring_cancel(c, RING_RECEIVE);
    uring_cancel(c, RING_READABLE);
    uring_cancel(c, RING_WRITABLE);
    uring_cancel(c, RING_ALARM);
}
