/* SPDX-License-Identifier: MIT */
/* One pass: enter, pass the event, send, leave. */
#include "server/drivers/shared/pump.h"

#include "common/base/budget.h"
#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "common/base/trace.h"
#include "server/net/transport.h"

/* Bytes of a read while the budget is nearly used up: small requests are still served, large bodies wait. */
enum { PUMP_READ_TIGHT = 4096 };

static NOINLINE void pump_tell_other(struct session *session, struct context *context, enum io_event event,
                                     struct span bytes)
{
    TRACE(wake, session->number, (uint64_t)event);
    if (bytes.length > 0 && session->input_dropped == INPUT_KEPT) {
        session_feed_kept(session, context, bytes.data, bytes.length);
    }
    switch (event) {
    case IO_DATA:
    case IO_LATE: break;
    case IO_EOF: session_eof(session, context); break;
    case IO_WRITABLE: break;
    case IO_TIMEOUT: session_timeout(session, context); break;
    case IO_RESUMED: session_resume(session, context); break;
    case IO_REJECTED: session_refuse_work(session, context); break;
    case IO_SHUTDOWN: session_drain(session, context); break;
    }
}

static ALWAYS_INLINE void pump_tell(struct session *session, struct context *context, enum io_event event,
                                    struct span bytes)
{
    if (likely(event == IO_DATA)) {
        TRACE(read, session->number, (uint64_t)bytes.length);
        session_feed(session, context, bytes.data, bytes.length);
    } else {
        pump_tell_other(session, context, event, bytes);
    }
}

/* During a drain: reads the requests that the client has sent after the one whose answer is next; otherwise they
 * would be lost. False if the connection is lost. */
static COLD bool pump_decide(struct session *session, struct context *context, int fd)
{
    char bytes[PUMP_READ_TIGHT];
    size_t answer;
    while ((answer = session_undecided(session, context)) != 0) {
        struct transfer read = transport_receive(fd, bytes, sizeof bytes, TRANSPORT_NO_WAIT);
        switch (read.outcome) {
        case TRANSPORT_MOVED:
            counters_add(&context->counters->received, read.length);
            session_feed_kept(session, context, bytes, read.length);
            break;
        case TRANSPORT_RETRY:
        case TRANSPORT_INTERRUPTED:
        case TRANSPORT_END: break; /* the end is read again: the answer is decided first */
        case TRANSPORT_ERROR: return false;
        }
        if (session_undecided(session, context) == answer) {
            session_decide(session, context);
        }
    }
    return true;
}

/* The bytes to send next, decided. False if the connection is lost. If the output is taken, the socket must not be read now: the answer
 * goes out undecided, by a later pass (session_leave). */
static ALWAYS_INLINE bool pump_unsent(struct session *session, struct context *context, int fd,
                                      struct span *unsent)
{
    *unsent = session_output(session, context);
    if (unlikely(session_undecided(session, context) != 0) && unsent->length > 0) {
        if (context->take_output != NULL) {
            *unsent = PUMP_NO_BYTES;
            return true;
        }
        if (!pump_decide(session, context, fd)) {
            return false;
        }
        *unsent = session_output(session, context);
    }
    return true;
}

enum pump_sent {
    PUMP_SENT_ALL,
    PUMP_SENT_PART, /* the socket is full: another send would be a call for nothing */
    PUMP_SENT_BROKEN,
};

static ALWAYS_INLINE enum pump_sent pump_send_once(struct session *session, struct context *context, int fd,
                                                   struct span unsent)
{
    struct transfer sent = transport_send(fd, unsent.data, unsent.length);
    switch (sent.outcome) {
    case TRANSPORT_MOVED: break;
    case TRANSPORT_RETRY:
    case TRANSPORT_INTERRUPTED: return PUMP_SENT_PART;
    case TRANSPORT_END:
    case TRANSPORT_ERROR: return PUMP_SENT_BROKEN;
    }
    TRACE(write, session->number, (uint64_t)sent.length);
    counters_add(&context->counters->sent, sent.length);
    session_sent(session, context, sent.length);
    return sent.length < unsent.length ? PUMP_SENT_PART : PUMP_SENT_ALL;
}

/* There is more output after a first send of `total` bytes. */
static NOINLINE bool pump_send_more(struct session *session, struct context *context, int fd, size_t total)
{
    struct span unsent;
    for (int sends = 1;; sends++) {
        if (!pump_unsent(session, context, fd, &unsent)) {
            return false;
        }
        if (unsent.length == 0 || sends == PUMP_SENDS_MAX || total >= PUMP_BYTES_MAX) {
            return true;
        }
        enum pump_sent sent = pump_send_once(session, context, fd, unsent);
        if (sent != PUMP_SENT_ALL) {
            return sent == PUMP_SENT_PART;
        }
        total += unsent.length;
    }
}

static ALWAYS_INLINE void pump_taken(struct session *session, struct context *context, size_t length)
{
    TRACE(write, session->number, (uint64_t)length);
    counters_add(&context->counters->sent, length);
    session_sent(session, context, length);
}

/* There is more output after some was taken. What is not taken now is kept. */
static COLD void pump_take_more(struct session *session, struct context *context, int fd)
{
    struct span unsent;
    while (pump_unsent(session, context, fd, &unsent) && unsent.length > 0 &&
           context->take_output(context, unsent) == OUTPUT_TAKEN) {
        pump_taken(session, context, unsent.length);
    }
}

/* Nearly always one send takes everything. */
static ALWAYS_INLINE bool pump_send(struct session *session, struct context *context, int fd)
{
    struct span unsent;
    if (!pump_unsent(session, context, fd, &unsent)) {
        return false;
    }
    if (unsent.length == 0) {
        return true;
    }
    if (context->take_output != NULL) {
        enum output_taken taken = context->take_output(context, unsent);
        if (likely(taken == OUTPUT_TAKEN)) {
            pump_taken(session, context, unsent.length);
            if (unlikely(session_output(session, context).length > 0)) {
                pump_take_more(session, context, fd);
            }
            return true;
        }
        if (taken == OUTPUT_WAITS) {
            return true;
        }
    }
    enum pump_sent sent = pump_send_once(session, context, fd, unsent);
    if (unlikely(sent != PUMP_SENT_ALL)) {
        return sent == PUMP_SENT_PART;
    }
    return likely(session_output(session, context).length == 0) ||
           pump_send_more(session, context, fd, unsent.length);
}

bool session_pump(struct session *session, struct context *context, int fd, enum io_event event,
                  struct span bytes)
{
    clock_read_date(context->service->scoreboard, context->date, &context->date_sequence);
    counters_add(&context->counters->received, bytes.length);
    context->socket = fd;
    session_enter(session, context);
    pump_tell(session, context, event, bytes);
    bool kept = pump_send(session, context, fd);
    session_leave(session, context);
    return kept;
}

void pump_cut_off(struct session *session, struct context *context)
{
    struct scoreboard *scoreboard = context->service->scoreboard;
    clock_read_date(scoreboard, context->date, &context->date_sequence);
    atomic_fetch_add(&scoreboard->cut_off, session->state != STATE_PROXY); /* no byte of a request has come */
    session_cut_off(session, context);
}

/* Bytes that follow a request may have to be kept while its answer is sent, in a buffer of up to twice their size. */
size_t pump_read_size(const struct context *context, size_t size)
{
    bool tight = budget_tight_with(context->output.budget, 2 * size);
    return tight && size > PUMP_READ_TIGHT ? PUMP_READ_TIGHT : size;
}
