/* SPDX-License-Identifier: MIT */
/* From the start of the drain to the end of the server. */
#include "server/acceptor/drain.h"

#include "common/base/clock.h"
#include "server/modes/mode.h"
#include "server/net/warn.h"
#include "server/net/systemd.h"

enum {
    /* The shortest drain timeout, so that with --drain-timeout=0 idle connections are closed, not cut off. */
    DRAIN_MIN_MS = 50,
    /* The time before idle connections are closed. The clients of the connections accepted last are about to send,
     * and a proxy does not repeat a POST whose connection is closed. A tenth of a second, and a tick of the kernel's
     * coarse clock, by which a timer may be early. */
    DRAIN_GRACE_MS = 110,
    /* The drain ends when all open connections have only lingered for so long: their answers have been sent. */
    DRAIN_LINGER_MS = 5000,
    /* The time in which connections that are cut off write their lines of the access log. */
    DRAIN_CUTTING_MS = 2000,
};

static void drain_enter(struct drain *drain, enum drain_phase phase)
{
    TRACE(drain, UINT64_C(0), (uint64_t)phase);
    drain->phase = phase;
}

static void drain_after(struct event *event, uint64_t ms)
{
    struct timeval delay = {.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
    event_add(event, &delay);
}

/* Writes a line to stderr if `count` is not 0. Returns `count`. */
static uint64_t drain_say(uint64_t count, bool least, const char *fate)
{
    if (count > 0) {
        warn("%s%llu %s %s", least ? "at least " : "", (unsigned long long)count,
             count == 1 ? "connection was" : "connections were", fate);
    }
    return count;
}

/* Returns the number of open connections that do not linger; the answers of lingering ones have been sent. */
static uint64_t drain_left(const struct connection_count *count)
{
    uint64_t open = connection_count_value(count), lingering = connection_count_lingering(count);
    return open > lingering ? open - lingering : 0;
}

/* Open connections have not counted themselves as cut off yet, and some may be idle. So the number is a lower bound. */
static void drain_finish(struct drain *drain)
{
    struct scoreboard *scoreboard = drain->acceptor->server->service.scoreboard;
    uint64_t open = drain_left(&drain->acceptor->server->connections);
    uint64_t cut_off = atomic_load(&scoreboard->cut_off);
    uint64_t known = (cut_off > open ? cut_off : open) + drain->abandoned.count;
    uint64_t lost = drain_say(known, open > 0 || drain->abandoned.least, "cut off by the drain timeout") +
                    drain_say(atomic_load(&scoreboard->crashed) - drain->crashed, false, "lost");
    drain_enter(drain, DRAIN_OVER);
    acceptor_finish(drain->acceptor, lost > 0 ? 1 : 0);
}

/* Ends the drain if no connection is left. */
static void drain_advance(struct drain *drain)
{
    struct connection_count *count = &drain->acceptor->server->connections;
    if ((drain->phase == DRAIN_CLOSING || drain->phase == DRAIN_CUTTING) && drain->acceptor->closed) {
        connection_count_watch(count);
        if (connection_count_value(count) == 0 || (drain->phase == DRAIN_CUTTING && drain_left(count) == 0)) {
            drain_finish(drain);
        }
    }
}

static void drain_limit_lingering(struct drain *drain)
{
    struct connection_count *count = &drain->acceptor->server->connections;
    uint64_t now = clock_ms();
    if (drain_left(count) > 0 || !drain->acceptor->closed) {
        drain->lingering_since_ms = 0;
    } else if (drain->lingering_since_ms == 0) {
        drain->lingering_since_ms = now;
    } else if (now - drain->lingering_since_ms >= DRAIN_LINGER_MS) {
        drain_finish(drain);
    }
}

static void drain_close(struct drain *drain)
{
    struct server *server = drain->acceptor->server;
    uint64_t timeout = server->options->drain_timeout_ms;
    timeout = timeout < DRAIN_MIN_MS ? DRAIN_MIN_MS : timeout;
    drain_enter(drain, DRAIN_CLOSING);
    acceptor_close(drain->acceptor);
    drain_after(&drain->step, timeout < (uint64_t)2 * DRAIN_GRACE_MS ? timeout / 2 : DRAIN_GRACE_MS);
    drain_after(&drain->deadline, timeout);
    drain_advance(drain);
}

void drain_begin(struct drain *drain)
{
    struct server *server = drain->acceptor->server;
    atomic_store(&server->service.scoreboard->draining, true);
    drain->crashed = atomic_load(&server->service.scoreboard->crashed);
    drain_enter(drain, DRAIN_DELAY);
    systemd_announce("STOPPING=1");
    if (server->options->drain_delay_ms == 0) {
        drain_close(drain);
    } else {
        drain_after(&drain->step, server->options->drain_delay_ms);
    }
}

static void drain_tell(struct drain *drain)
{
    struct server *server = drain->acceptor->server;
    atomic_store(&server->service.scoreboard->closing, true);
    server->mode->drain(server);
    if (drain->phase == DRAIN_CUTTING) {
        reactor_drain(&drain->acceptor->refusals);
    } else {
        drain_limit_lingering(drain);
    }
    drain_after(&drain->step, DRAIN_AGAIN_MS);
}

static void drain_on_step(evutil_socket_t fd, short events, void *arg)
{
    struct drain *drain = arg;
    (void)fd;
    (void)events;
    switch (drain->phase) {
    case DRAIN_NOT:
    case DRAIN_OVER: break;
    case DRAIN_DELAY: drain_close(drain); break;
    case DRAIN_CLOSING:
    case DRAIN_CUTTING: drain_tell(drain); break;
    }
}

static void drain_cut_off(struct drain *drain)
{
    drain_enter(drain, DRAIN_CUTTING);
    drain->abandoned = acceptor_abandon(drain->acceptor);
    atomic_store(&drain->acceptor->server->service.scoreboard->cutting, true);
    drain_after(&drain->deadline, DRAIN_CUTTING_MS);
    drain_tell(drain);
    drain_advance(drain);
}

static void drain_on_deadline(evutil_socket_t fd, short events, void *arg)
{
    struct drain *drain = arg;
    (void)fd;
    (void)events;
    if (drain->phase == DRAIN_CLOSING) {
        drain_cut_off(drain);
    } else if (drain->phase == DRAIN_CUTTING) {
        drain_finish(drain);
    }
}

static void drain_on_left(void *arg)
{
    drain_advance(arg);
}

void drain_init(struct drain *drain, struct acceptor *acceptor)
{
    *drain = (struct drain){.acceptor = acceptor};
    event_assign(&drain->step, acceptor->base, -1, 0, drain_on_step, drain);
    event_assign(&drain->deadline, acceptor->base, -1, 0, drain_on_deadline, drain);
    acceptor_on_left(acceptor, drain_on_left, drain);
}

void drain_deinit(struct drain *drain)
{
    event_del(&drain->step);
    event_del(&drain->deadline);
}
