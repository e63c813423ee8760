/* SPDX-License-Identifier: MIT */
/* A few places that are looked at again and again: slow, but it needs nothing that could be wanting. */
#include "server/drivers/event/refuser.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "server/net/transport.h"
#include "server/drivers/shared/pump.h"

enum {
    REFUSER_TICK_MS = 20,
    REFUSER_BUSY_TICK_MS = 1,   /* while bytes are discarded, so that their sender comes to the end of them */
    REFUSER_PATIENCE_MS = 2000, /* for the request */
};

static void refuser_set_timer(struct refuser *refuser, unsigned ms)
{
    struct timespec time = {.tv_nsec = (long)ms * 1000000};
    timerfd_settime(refuser->timer, 0, &(struct itimerspec){.it_value = time, .it_interval = time}, NULL);
}

static void refuser_close(struct refuser *refuser, unsigned i)
{
    struct refused refused = refuser->places[i];
    refuser->count--;
    memmove(&refuser->places[i], &refuser->places[i + 1], (refuser->count - i) * sizeof(refused));
    if (refused.answered) {
        connection_count_linger_end(refuser->core->connections, false);
    }
    if (refused.reason != REFUSAL_NOT) {
        connection_count_drop_refused(refuser->core->connections);
    } else {
        connection_count_drop(refuser->core->connections);
    }
    close(refused.accepted.fd);
}

/* What it lingers for is bounded as for all others of its reactor. */
static void refuser_begin_lingering(struct refuser *refuser, struct refused *refused)
{
    refused->answered = true;
    refused->lingering = lingering_begin(refused->accepted.fd, clock_ms(), refuser->core->linger_ms);
    connection_count_linger_begin(refuser->core->connections, false);
}

/* The session lives no longer than this: what it may have kept of the request is not waited for. False if the client
 * has gone. */
static bool refuser_answer(struct refuser *refuser, struct refused *refused, struct span bytes)
{
    int fd = refused->accepted.fd;
    struct session session;
    session_init(&session, refused->accepted.number, &refused->accepted.peer, refused->reason);
    bool kept = bytes.length == 0 || session_pump(&session, &refuser->core->context, fd, IO_DATA, bytes);
    if (kept && (session_wants(&session, &refuser->core->context) & WANT_CLOSE) == 0) {
        kept = session_pump(&session, &refuser->core->context, fd, IO_TIMEOUT, PUMP_NO_BYTES);
    }
    session_log_abandoned(&session, &refuser->core->context);
    session_deinit(&session, refuser->core->context.output.budget);
    refuser_begin_lingering(refuser, refused);
    return kept;
}

/* False if it is to be closed. */
static bool refuser_go_on_lingering(struct refuser *refuser, struct refused *refused)
{
    return lingering_advance(&refused->lingering, refused->accepted.fd, true, refuser->core->input,
                             REACTOR_INPUT_SIZE, clock_ms());
}

/* False if it is to be closed. */
static bool refuser_look(struct refuser *refuser, struct refused *refused)
{
    if (refused->answered) {
        return refuser_go_on_lingering(refuser, refused);
    }
    bool late = clock_coarse_ms() - refused->since_ms >= REFUSER_PATIENCE_MS;
    struct transfer read =
        transport_receive(refused->accepted.fd, refuser->core->input, REACTOR_INPUT_SIZE, TRANSPORT_NO_WAIT);
    struct span bytes = {.data = refuser->core->input,
                         .length = read.outcome == TRANSPORT_MOVED ? read.length : 0};
    switch (read.outcome) {
    case TRANSPORT_MOVED:
    case TRANSPORT_RETRY:
    case TRANSPORT_INTERRUPTED: break;
    case TRANSPORT_END:
    case TRANSPORT_ERROR: return false;
    }
    return (bytes.length == 0 && !late) || refuser_answer(refuser, refused, bytes);
}

/* Whether bytes came in the last moment that were discarded. */
static bool refuser_discards(const struct refuser *refuser)
{
    uint64_t now = clock_ms();
    for (unsigned i = 0; i < refuser->count; i++) {
        const struct refused *refused = &refuser->places[i];
        if (refused->answered && !refused->lingering.unread &&
            now - refused->lingering.quiet_since < REFUSER_TICK_MS) {
            return true;
        }
    }
    return false;
}

static void refuser_on_timer(evutil_socket_t fd, short events, void *arg)
{
    struct refuser *refuser = arg;
    uint64_t expirations;
    (void)events;
    if (read(fd, &expirations, sizeof(expirations)) < 0) {
        return;
    }
    for (unsigned i = refuser->count; i-- > 0;) {
        if (!refuser_look(refuser, &refuser->places[i])) {
            refuser_close(refuser, i);
        }
    }
    refuser_set_timer(refuser, refuser->count == 0         ? 0
                               : refuser_discards(refuser) ? REFUSER_BUSY_TICK_MS
                                                           : REFUSER_TICK_MS);
}

static void refuser_place(struct refuser *refuser, const struct refused *refused)
{
    if (refuser->count == REFUSER_PLACES) {
        struct refused *oldest = &refuser->places[0];
        if (refuser_look(refuser, oldest) && !oldest->answered) {
            refuser_answer(refuser, oldest, PUMP_NO_BYTES);
        }
        refuser_close(refuser, 0);
    }
    refuser->places[refuser->count++] = *refused;
    if (!refuser_look(refuser, &refuser->places[refuser->count - 1])) {
        refuser_close(refuser, refuser->count - 1);
    }
    if (refuser->count == 1) {
        refuser_set_timer(refuser, REFUSER_TICK_MS);
    }
}

void refuser_refuse(struct refuser *refuser, const struct accepted *accepted, enum refusal reason)
{
    refuser_place(refuser,
                  &(struct refused){.accepted = *accepted, .reason = reason, .since_ms = clock_coarse_ms()});
}

void refuser_linger(struct refuser *refuser, const struct accepted *accepted)
{
    struct refused refused = {.accepted = *accepted, .reason = REFUSAL_NOT};
    refuser_begin_lingering(refuser, &refused);
    refuser_place(refuser, &refused);
}

int refuser_init(struct refuser *refuser, struct reactor_core *core)
{
    refuser->core = core;
    refuser->count = 0;
    refuser->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (refuser->timer < 0) {
        return -errno;
    }
    event_assign(&refuser->timer_event, core->base, refuser->timer, EV_READ | EV_PERSIST, refuser_on_timer,
                 refuser);
    if (event_add(&refuser->timer_event, NULL) != 0) {
        close(refuser->timer);
        return -ENOMEM;
    }
    return 0;
}

void refuser_end(struct refuser *refuser)
{
    while (refuser->count > 0) {
        struct refused *oldest = &refuser->places[0];
        if (!oldest->answered) {
            refuser_answer(refuser, oldest, PUMP_NO_BYTES);
        }
        refuser_close(refuser, 0);
    }
}

void refuser_deinit(struct refuser *refuser)
{
    while (refuser->count > 0) {
        refuser_close(refuser, 0);
    }
    event_del(&refuser->timer_event);
    close(refuser->timer);
}
