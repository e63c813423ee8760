/* SPDX-License-Identifier: MIT */
/* A few places that are looked at again and again: slow, but it needs nothing that could be wanting. */
#include "server/refuser.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "common/clock.h"
#include "server/reactor.h"
#include "server/transport.h"
#include "server/turn.h"

enum {
    REFUSER_TICK_MS = 20,
    REFUSER_PATIENCE_MS = 2000, /* for the request, then for the close behind the answer */
};

static void refuser_set_timer(struct refuser *refuser, unsigned ms)
{
    struct timespec time = {.tv_nsec = (long)ms * 1000000};
    timerfd_settime(refuser->timer, 0, &(struct itimerspec){.it_value = time, .it_interval = time}, NULL);
}

static void refuser_close(struct reactor *reactor, unsigned i)
{
    struct refuser *refuser = &reactor->refuser;
    struct refused refused = refuser->places[i];
    refuser->count--;
    memmove(&refuser->places[i], &refuser->places[i + 1], (refuser->count - i) * sizeof(refused));
    if (refused.reason != REFUSAL_NOT) {
        gate_leave_refused(reactor->gate);
    } else {
        gate_leave(reactor->gate);
    }
    close(refused.arrival.fd);
}

/* The session lives no longer than this: what it may have kept of the request is not waited for. False if the client has gone. */
static bool refuser_answer(struct reactor *reactor, struct refused *refused, struct span bytes)
{
    static const struct span no_bytes = {.data = "", .length = 0};
    int fd = refused->arrival.fd;
    struct session session;
    session_init(&session, refused->arrival.number, &refused->arrival.peer, refused->reason);
    bool kept = bytes.length == 0 || turn_take(&session, &reactor->lane, fd, HAPPENING_BYTES, bytes);
    if (kept && (session_wants(&session, &reactor->lane) & WANT_CLOSE) == 0) {
        kept = turn_take(&session, &reactor->lane, fd, HAPPENING_TIMEOUT, no_bytes);
    }
    session_lost(&session, &reactor->lane);
    session_deinit(&session, reactor->lane.output.budget);
    refused->answered = true;
    refused->since_ms = clock_coarse_ms();
    shutdown(fd, SHUT_WR);
    return kept;
}

/* False if it is to be closed. */
static bool refuser_look(struct reactor *reactor, struct refused *refused)
{
    bool late = clock_coarse_ms() - refused->since_ms >= REFUSER_PATIENCE_MS;
    struct transfer read =
        transport_receive(refused->arrival.fd, reactor->input, REACTOR_INPUT_SIZE, PATIENCE_NONE);
    struct span bytes = {.data = reactor->input, .length = read.outcome == TRANSPORT_MOVED ? read.length : 0};
    switch (read.outcome) {
    case TRANSPORT_MOVED:
    case TRANSPORT_RETRY:
    case TRANSPORT_INTERRUPTED: break;
    case TRANSPORT_END:
    case TRANSPORT_LOST: return false;
    }
    if (refused->answered) {
        return !late;
    }
    return (bytes.length == 0 && !late) || refuser_answer(reactor, refused, bytes);
}

static void refuser_on_timer(evutil_socket_t fd, short events, void *context)
{
    struct reactor *reactor = context;
    struct refuser *refuser = &reactor->refuser;
    uint64_t expirations;
    (void)events;
    if (read(fd, &expirations, sizeof(expirations)) < 0) {
        return;
    }
    for (unsigned i = refuser->count; i-- > 0;) {
        if (!refuser_look(reactor, &refuser->places[i])) {
            refuser_close(reactor, i);
        }
    }
    if (refuser->count == 0) {
        refuser_set_timer(refuser, 0);
    }
}

static void refuser_place(struct reactor *reactor, const struct refused *refused)
{
    static const struct span no_bytes = {.data = "", .length = 0};
    struct refuser *refuser = &reactor->refuser;
    if (refuser->count == REFUSER_PLACES) {
        struct refused *oldest = &refuser->places[0];
        if (refuser_look(reactor, oldest) && !oldest->answered) {
            refuser_answer(reactor, oldest, no_bytes);
        }
        refuser_close(reactor, 0);
    }
    refuser->places[refuser->count++] = *refused;
    if (!refuser_look(reactor, &refuser->places[refuser->count - 1])) {
        refuser_close(reactor, refuser->count - 1);
    }
    if (refuser->count == 1) {
        refuser_set_timer(refuser, REFUSER_TICK_MS);
    }
}

void refuser_refuse(struct reactor *reactor, const struct arrival *arrival, enum refusal reason)
{
    refuser_place(reactor,
                  &(struct refused){.arrival = *arrival, .reason = reason, .since_ms = clock_coarse_ms()});
}

void refuser_linger(struct reactor *reactor, const struct arrival *arrival)
{
    shutdown(arrival->fd, SHUT_WR);
    refuser_place(reactor, &(struct refused){.arrival = *arrival,
                                             .reason = REFUSAL_NOT,
                                             .answered = true,
                                             .since_ms = clock_coarse_ms()});
}

int refuser_init(struct reactor *reactor)
{
    struct refuser *refuser = &reactor->refuser;
    refuser->count = 0;
    refuser->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (refuser->timer < 0) {
        return -errno;
    }
    event_assign(&refuser->timer_event, reactor->base, refuser->timer, EV_READ | EV_PERSIST, refuser_on_timer,
                 reactor);
    if (event_add(&refuser->timer_event, NULL) != 0) {
        close(refuser->timer);
        return -ENOMEM;
    }
    return 0;
}

void refuser_deinit(struct reactor *reactor)
{
    while (reactor->refuser.count > 0) {
        refuser_close(reactor, 0);
    }
    event_del(&reactor->refuser.timer_event);
    close(reactor->refuser.timer);
}
