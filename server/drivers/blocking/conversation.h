/* SPDX-License-Identifier: MIT */
/* The conversation: how blocking code serves a session until the session is over. Two drivers include this source code:
 * blocking.c, which blocks a thread, and fiber_connection.c, which blocks a fiber. It is included, not linked, so that no
 * request costs a call through a pointer.
 *
 * Before a driver includes this file, it defines CONVERSATION as its type of a connection, with the members `fd`,
 * `server`, `session`, `since_ms` (at first, when the connection was accepted) and `alarm_us`. It also defines the
 * functions below. */
#ifndef ECHOD_SERVER_DRIVERS_BLOCKING_CONVERSATION_H
#define ECHOD_SERVER_DRIVERS_BLOCKING_CONVERSATION_H

#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "server/drivers/shared/pump.h"
#include "server/drivers/shared/server.h"
#include "server/net/transport.h"

/* What a wait for the socket has brought. */
enum conversation_event {
    CONVERSATION_TIMEOUT,  /* the time is over */
    CONVERSATION_GO_ON,    /* there may be bytes to read, or somebody has interrupted the wait */
    CONVERSATION_WRITABLE, /* the socket takes bytes */
    CONVERSATION_BROKEN,   /* the connection was reset, or cannot be waited for */
};

/* ---- what the driver defines ---- */

static struct context *conversation_context(CONVERSATION *c);
/* Shows what the connection does, for the report of SIGUSR1. */
static void conversation_show(CONVERSATION *c, enum activity activity);
/* Whether a read without waiting is worth the system call. */
static bool conversation_may_read(CONVERSATION *c);
/* Reads once without waiting. */
static struct transfer conversation_receive(CONVERSATION *c);
/* The bytes of that read. */
static struct span conversation_bytes(CONVERSATION *c, size_t length);
/* Between requests: waits for bytes and passes them on. False if the connection is broken. */
static bool conversation_await_request(CONVERSATION *c);
/* Waits until the socket is readable (WANT_READ) or writable (WANT_WRITE), for at most `timeout_ms`; -1: without end. */
static enum conversation_event conversation_wait(CONVERSATION *c, unsigned wants, int timeout_ms);
/* Runs the work, or has it run. Returns IO_RESUMED, or IO_REJECTED if nobody has room for it. */
static enum io_event conversation_run(CONVERSATION *c, struct work *work);
/* Whether the server drains, so that idle connections end. */
static bool conversation_is_closing(const CONVERSATION *c);
/* Writes the lines of the access log that must not wait. */
static void conversation_flush_log(CONVERSATION *c);

/* ---- the conversation ---- */

/* False when there is nothing left to do but to close. The idle timer is the driver's. */
static bool conversation_pump(CONVERSATION *c, enum io_event event, struct span bytes)
{
    bool kept = session_pump(&c->session, conversation_context(c), c->fd, event, bytes);
    if (c->session.timer != TIMER_IDLE && session_timer_take(&c->session)) {
        c->since_ms = clock_ms();
    }
    return kept;
}

static uint64_t left_of(uint64_t deadline, uint64_t now)
{
    return deadline > now ? deadline - now : 0;
}

/* The event that occurs if the socket shows none, and the time until then in milliseconds; -1: never. */
struct due {
    enum io_event event;
    int timeout_ms;
};

static struct due conversation_due_alarm(CONVERSATION *c)
{
    uint64_t now = clock_us();
    if (session_wait_take(&c->session)) {
        c->alarm_us = now + session_wait_ms(&c->session) * 1000;
    }
    return (struct due){IO_RESUMED, (int)((left_of(c->alarm_us, now) + 999) / 1000)};
}

/* Returns the event that is due first. A handler may wait while the client is slow to read earlier answers; then the
 * session's timer runs as well. */
static struct due conversation_due(CONVERSATION *c, unsigned wants)
{
    uint64_t limit = c->server->timeouts.limit[c->session.timer];
    struct due timer = {IO_TIMEOUT, limit == 0 ? -1 : (int)left_of(c->since_ms + limit, clock_ms())};
    if ((wants & WANT_WAIT) == 0) {
        return timer;
    }
    struct due alarm = conversation_due_alarm(c);
    return timer.timeout_ms < 0 || alarm.timeout_ms <= timer.timeout_ms ? alarm : timer;
}

/* Within a request: waits for the first of the events that the session wants. */
static bool conversation_await_progress(CONVERSATION *c, unsigned wants)
{
    conversation_flush_log(c);
    struct due due = conversation_due(c, wants);
    switch (conversation_wait(c, wants, due.timeout_ms)) {
    case CONVERSATION_TIMEOUT: return conversation_pump(c, due.event, PUMP_NO_BYTES);
    case CONVERSATION_GO_ON: return true;
    case CONVERSATION_WRITABLE: return conversation_pump(c, IO_WRITABLE, PUMP_NO_BYTES);
    case CONVERSATION_BROKEN: return false; /* nobody is there to answer to */
    }
    __builtin_unreachable();
}

static bool conversation_is_cut_off(const CONVERSATION *c)
{
    return scoreboard_cutting(c->server->service.scoreboard);
}

static bool conversation_work(CONVERSATION *c)
{
    conversation_flush_log(c);
    enum io_event event = conversation_run(c, session_work(&c->session));
    return conversation_is_cut_off(c) || conversation_pump(c, event, PUMP_NO_BYTES);
}

static NOINLINE bool conversation_take_other(CONVERSATION *c, enum transport outcome)
{
    switch (outcome) {
    case TRANSPORT_END: return conversation_pump(c, IO_EOF, PUMP_NO_BYTES);
    case TRANSPORT_ERROR: return false;
    case TRANSPORT_MOVED:
    case TRANSPORT_RETRY:
    case TRANSPORT_INTERRUPTED: return true;
    }
    __builtin_unreachable();
}

/* Passes on what a read has brought. False if the connection is broken. */
static ALWAYS_INLINE bool conversation_take(CONVERSATION *c, struct transfer read)
{
    return likely(read.outcome == TRANSPORT_MOVED)
               ? conversation_pump(c, IO_DATA, conversation_bytes(c, read.length))
               : conversation_take_other(c, read.outcome);
}

/* A session before its first request may have a request in the socket: it is read once more. */
static bool conversation_end_by_drain(CONVERSATION *c)
{
    if (session_idle(&c->session)) {
        struct transfer read = conversation_receive(c);
        if (read.outcome != TRANSPORT_RETRY && read.outcome != TRANSPORT_INTERRUPTED) {
            return conversation_take(c, read);
        }
    }
    return conversation_pump(c, IO_SHUTDOWN, PUMP_NO_BYTES);
}

/* An answer stalls on request while its client may send without end: those bytes are dropped, and do not prolong it. */
static bool conversation_stalls_too_long(CONVERSATION *c, unsigned wants)
{
    return unlikely(wants == WANT_READ && session_drainable(&c->session)) &&
           conversation_due(c, wants).timeout_ms == 0;
}

/* Not for an idle connection. */
static bool conversation_go_on(CONVERSATION *c, unsigned wants)
{
    if (conversation_is_cut_off(c)) {
        pump_cut_off(&c->session, conversation_context(c));
        return false;
    }
    conversation_show(c, (wants & WANT_WORK) != 0       ? ACTIVITY_WORKING
                         : (wants & WANT_WAIT) != 0     ? ACTIVITY_WAITING
                         : c->session.out_committed > 0 ? ACTIVITY_SENDING
                                                        : ACTIVITY_READING);
    if ((wants & WANT_WORK) != 0) {
        return conversation_work(c);
    }
    if (session_drainable(&c->session) && conversation_is_closing(c)) {
        return conversation_end_by_drain(c);
    }
    if (conversation_stalls_too_long(c, wants)) {
        return conversation_pump(c, IO_TIMEOUT, PUMP_NO_BYTES);
    }
    if ((wants & WANT_READ) != 0 && conversation_may_read(c)) {
        struct transfer read = conversation_receive(c);
        if (read.outcome != TRANSPORT_RETRY && read.outcome != TRANSPORT_INTERRUPTED) {
            return conversation_take(c, read);
        }
    }
    return conversation_await_progress(c, wants);
}

/* Until the session is over. False if the connection is broken. */
static bool conversation_hold(CONVERSATION *c)
{
    bool kept = true;
    /* A PROXY header comes first: its time runs since the connection was accepted. */
    if (c->session.timer != TIMER_IDLE) {
        session_timer_take(&c->session);
    }
    while (kept) {
        unsigned wants = session_wants(&c->session, conversation_context(c));
        if ((wants & WANT_CLOSE) != 0) {
            break;
        }
        bool between = wants == WANT_READ && c->session.timer == TIMER_IDLE;
        kept = between ? conversation_await_request(c) : conversation_go_on(c, wants);
    }
    return kept;
}

/* Ends the session. Returns how the connection is to be closed. */
static enum close_mode conversation_end(CONVERSATION *c, bool kept)
{
    struct context *context = conversation_context(c);
    enum close_mode close_mode = kept ? session_close_mode(&c->session) : CLOSE_ABORT;
    session_log_abandoned(&c->session, context);
    session_deinit(&c->session, context->output.budget);
    return close_mode;
}

#endif
