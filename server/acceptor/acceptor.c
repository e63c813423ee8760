/* SPDX-License-Identifier: MIT */
/* Accepting, and not accepting. */
#include "server/acceptor/acceptor.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "server/modes/mode.h"
#include "server/net/warn.h"
#include "server/drivers/shared/shortage.h"
#include "server/drivers/shared/counters_pool.h"

enum {
    ACCEPT_BATCH = 64,    /* connections accepted from one listener before it is another's turn */
    ACCEPT_BATCH_MS = 10, /* the longest time for them: a fork may be slow, and the date and signals wait */
    SCARCE_MS = 100,      /* the pause after an accept that found no descriptor or memory */
    CROWDED_MS = 10,      /* the pause after a refused connection had to make room for another */
    SETTLE_MS = 20,       /* how long a drain waits for handshakes that had begun at the signal */
    FLOOD_MS = 1000,      /* how long a drain accepts connections that arrive after the signal */
    PROBE_S = 1,
    COMPLAIN_AGAIN_MS = 60 * 1000,
    CENSUS_MS = 60 * 1000, /* how long the connections are counted after somebody has read /metrics */
};

/* Whether this refusal may be reported now: at most once a minute for each reason. */
static bool acceptor_may_complain(struct acceptor *acceptor, enum refusal reason)
{
    uint64_t now = clock_ms();
    uint64_t *last = &acceptor->complained_ms[reason];
    if (*last != 0 && now - *last < COMPLAIN_AGAIN_MS) {
        return false;
    }
    *last = now;
    return true;
}

static bool acceptor_at_limit(const struct acceptor *acceptor)
{
    const struct server *server = acceptor->server;
    return connection_count_served(&server->connections) - acceptor->queue.count >= server->max_connections;
}

/* Whether the next connection would be refused, as far as the acceptor knows. */
static bool acceptor_refuses(const struct acceptor *acceptor)
{
    const struct scoreboard *scoreboard = acceptor->server->service.scoreboard;
    return acceptor_at_limit(acceptor) || scoreboard_queue_full(scoreboard) ||
           scoreboard_shortage(scoreboard) != 0;
}

static bool acceptor_crowded(const struct acceptor *acceptor)
{
    return acceptor->refusals.core.count + acceptor->queue.count >= ACCEPTOR_REFUSALS_MAX &&
           acceptor_refuses(acceptor);
}

static void acceptor_pause(struct acceptor *acceptor, unsigned ms)
{
    struct timeval pause = {.tv_usec = ms * 1000L};
    acceptor->paused = true;
    event_add(&acceptor->pause_timer, &pause);
}

/* Records a failed attempt of this thread to serve a connection. */
static void acceptor_run_short(struct acceptor *acceptor, int error)
{
    atomic_store(&acceptor->server->service.scoreboard->shortage, error);
    acceptor->served_then = connection_count_served(&acceptor->server->connections);
}

/* During a shortage, which this thread or a loop has found: reports it and starts the probe, once a second. */
static void acceptor_mind_shortage(struct acceptor *acceptor)
{
    static const struct timeval pause = {.tv_sec = PROBE_S};
    const struct server *server = acceptor->server;
    int error = scoreboard_shortage(server->service.scoreboard);
    if (error == 0 || event_pending(&acceptor->probe_timer, EV_TIMEOUT, NULL)) {
        return;
    }
    if (acceptor_may_complain(acceptor, REFUSAL_SYSTEM)) {
        warn("full: cannot serve another connection: %s", strerror(error));
    }
    acceptor->served_then = connection_count_served(&server->connections);
    event_add(&acceptor->probe_timer, &pause);
}

/* Adds or removes the events of the listeners. If epoll has no memory for them, tries again after a pause. */
static void acceptor_listen(struct acceptor *acceptor, bool listen)
{
    if (listen == acceptor->listening) {
        return;
    }
    acceptor->listening = listen;
    for (size_t i = 0; i < acceptor->listeners->count; i++) {
        if (!listen) {
            event_del(&acceptor->accept_events[i]);
        } else if (event_add(&acceptor->accept_events[i], NULL) != 0) {
            acceptor_pause(acceptor, SCARCE_MS);
            acceptor_listen(acceptor, false);
            return;
        }
    }
}

static void acceptor_refuse(struct acceptor *acceptor, const struct accepted *accepted, enum refusal reason)
{
    const struct server *server = acceptor->server;
    if (reason == REFUSAL_FULL && acceptor_may_complain(acceptor, reason)) {
        warn("full: %u connections, limited by %s; refusing more", server->max_connections, server->binding);
    } else if (reason == REFUSAL_QUEUE && acceptor_may_complain(acceptor, reason)) {
        warn("full: %u connections are waiting, limited by --queue; refusing more", server->options->queue);
    }
    reactor_add(&acceptor->refusals, accepted, reason);
}

/* Passes a connection to the mode or refuses it. Returns false, having done neither, if it `may_wait` and there is
 * no place, thread or process for it. */
static bool acceptor_serve(struct acceptor *acceptor, const struct accepted *accepted, bool full,
                           bool may_wait)
{
    struct server *server = acceptor->server;
    if (full) {
        if (!may_wait) {
            acceptor_refuse(acceptor, accepted, REFUSAL_FULL);
        }
        return !may_wait;
    }
    TRACE(hand_over, accepted->number, UINT64_C(0));
    int error = server->mode->serve(server, accepted);
    if (error != 0) {
        TRACE(hand_back, accepted->number, (uint64_t)-error);
    }
    bool waits = may_wait && error == -EAGAIN;
    if (error == 0 && !server->mode->loops) { /* a loop ends the shortage itself */
        shortage_over(server);
    } else if (error == -EBUSY) {
        acceptor_refuse(acceptor, accepted, REFUSAL_QUEUE);
    } else if (error != 0) {
        if (!waits) {
            acceptor_refuse(acceptor, accepted, REFUSAL_SYSTEM);
        }
        acceptor_run_short(acceptor, -error);
    }
    return !waits;
}

/* ---- places that lingering connections hold ---- */

_Static_assert((int)PLACE_QUEUE_SIZE >= (int)ACCEPTOR_REFUSALS_MAX, "the places of refusals are for both");

/* Whether a new connection may wait for a place: there are more lingering connections than waiting ones. */
static bool acceptor_may_queue(const struct acceptor *acceptor)
{
    return !acceptor->closing && acceptor->queue.count < PLACE_QUEUE_SIZE &&
           connection_count_giving_way(&acceptor->server->connections) > acceptor->queue.count;
}

/* Asks `count` lingering connections to close once they have lingered for LINGER_GIVES_WAY_MS. */
static void acceptor_ask(const struct acceptor *acceptor, unsigned count)
{
    place_ask(acceptor->server->service.scoreboard, SERVER_MODE_COUNTERS, count);
}

static void acceptor_queue_up(struct acceptor *acceptor, const struct accepted *accepted)
{
    static const struct timeval again = {.tv_usec = ACCEPTOR_PLACE_ASK_MS * 1000L};
    place_queue_put(&acceptor->queue, accepted, clock_ms());
    if (acceptor->queue.count == 1) {
        acceptor_ask(acceptor, 1);
        event_add(&acceptor->queue_timer, &again);
    }
}

/* Serves waiting connections as long as there is room. Then refuses those that have waited since `refuse_ms` or
 * longer. */
static void acceptor_serve_queue(struct acceptor *acceptor, uint64_t refuse_ms)
{
    struct place_queue *queue = &acceptor->queue;
    while (queue->count > 0 && acceptor_serve(acceptor, &queue->items[0], acceptor_at_limit(acceptor),
                                              queue->since_ms[0] > refuse_ms)) {
        place_queue_drop(queue);
    }
    if (acceptor->queue.count == 0) {
        event_del(&acceptor->queue_timer);
    }
}

static void acceptor_place(struct acceptor *acceptor, struct accepted *accepted, unsigned listener)
{
    bool full = acceptor_at_limit(acceptor);
    if (acceptor->closing) {
        listener_admit_data(accepted->fd);
    }
    accepted->number = ++acceptor->number;
    TRACE(accept, accepted->number, (uint64_t)listener);
    accepted->peer.listener = listener & (LISTENERS_MAX - 1);
    accepted->peer.proxied = acceptor->server->options->proxy_protocol && accepted->peer.family != AF_UNIX;
    connection_count_add(&acceptor->server->connections);
    if (!acceptor_serve(acceptor, accepted, full, acceptor_may_queue(acceptor))) {
        acceptor_queue_up(acceptor, accepted);
    }
}

/* Accepts a batch of connections, as far as some wait and there is room; counts them. Returns whether none waits any
 * more. */
static bool acceptor_accept(struct acceptor *acceptor, int fd, unsigned *count)
{
    struct accepted accepted;
    unsigned listener = listeners_index(acceptor->listeners, fd);
    uint64_t begin = clock_coarse_ms();
    for (*count = 0; *count < ACCEPT_BATCH && clock_coarse_ms() - begin <= ACCEPT_BATCH_MS; ++*count) {
        if (acceptor_crowded(acceptor)) {
            return !listener_has_queue(fd);
        }
        switch (accept_connection(&accepted, fd)) {
        case ACCEPT_DONE: acceptor_place(acceptor, &accepted, listener); break;
        case ACCEPT_EMPTY: return true;
        case ACCEPT_ABORTED: break;
        case ACCEPT_NO_RESOURCES:
            acceptor_run_short(acceptor, errno);
            if (acceptor->paused_in_vain) {
                acceptor_ask(acceptor, 1);
            }
            acceptor_pause(acceptor, SCARCE_MS);
            return false;
        }
    }
    return false;
}

/* Accepts the connections in a listener's queue. Returns whether that is done: no connection waits and none will
 * come, or those that were queued at the signal are accepted and new ones have kept arriving since. */
static bool acceptor_empty_queue(struct acceptor *acceptor, size_t i)
{
    struct remainder *remainder = &acceptor->remainders[i];
    unsigned accepted;
    if (!remainder->done) {
        uint64_t age = clock_ms() - acceptor->closing_ms;
        bool none_waits = acceptor_accept(acceptor, acceptor->listeners->items[i].fd, &accepted);
        remainder->queued -= accepted < remainder->queued ? accepted : remainder->queued;
        remainder->done = none_waits ? age >= SETTLE_MS : remainder->queued == 0 && age >= FLOOD_MS;
    }
    return remainder->done;
}

static void acceptor_close_listeners(struct acceptor *acceptor)
{
    acceptor_listen(acceptor, false);
    acceptor->closed = true;
    listeners_close(acceptor->listeners);
}

/* Closes the listeners if no connection is left in the kernel's queues. Otherwise the loop calls this again after
 * SETTLE_MS, or when there is room. */
static void acceptor_empty_queues(struct acceptor *acceptor)
{
    static const struct timeval settle = {.tv_usec = SETTLE_MS * 1000L};
    bool done = true;
    for (size_t i = 0; i < acceptor->listeners->count && !acceptor->paused; i++) {
        done &= acceptor_empty_queue(acceptor, i);
    }
    if (acceptor->paused) {
        return;
    }
    if (done) {
        acceptor_close_listeners(acceptor);
        reactor_drain(&acceptor->refusals);
    } else {
        event_add(&acceptor->pause_timer, &settle);
    }
}

/* Decides whether there is room, and whether to accept. Called after every change that may matter to either; other
 * functions only pause accepting, for a time. */
static void acceptor_update(struct acceptor *acceptor)
{
    struct server *server = acceptor->server;
    if (acceptor->closing && !acceptor->closed && !acceptor->paused) {
        acceptor_empty_queues(acceptor);
    }
    acceptor_serve_queue(acceptor, acceptor->closing ? UINT64_MAX : 0);
    acceptor_mind_shortage(acceptor);
    if (acceptor_refuses(acceptor) || acceptor->paused) {
        connection_count_watch(&server->connections);
    }
    bool full = acceptor_at_limit(acceptor);
    if (full != scoreboard_full(server->service.scoreboard)) {
        atomic_store(&server->service.scoreboard->full, full);
    }
    acceptor_listen(acceptor, !acceptor->closed && !acceptor->paused);
    acceptor->left(acceptor->left_arg);
}

/* If there is no room even for a refused connection, the one refused first makes room, and another one after a pause:
 * the number of waiting connections is unknown. */
static void acceptor_on_acceptable(evutil_socket_t fd, short events, void *arg)
{
    struct acceptor *acceptor = arg;
    unsigned accepted;
    (void)events;
    if (!acceptor->listening) {
        return;
    }
    acceptor_serve_queue(acceptor, 0);
    if (acceptor_crowded(acceptor)) {
        reactor_make_room(&acceptor->refusals);
        acceptor_pause(acceptor, CROWDED_MS);
    } else if (!acceptor->closing) {
        acceptor_accept(acceptor, fd, &accepted);
    }
    acceptor_update(acceptor);
}

static void acceptor_on_queue_timer(evutil_socket_t fd, short events, void *arg)
{
    struct acceptor *acceptor = arg;
    (void)fd;
    (void)events;
    acceptor_serve_queue(acceptor, clock_ms() - ACCEPTOR_PLACE_WAIT_MS);
    acceptor_ask(acceptor, acceptor->queue.count);
    acceptor_update(acceptor);
}

static void acceptor_go_on(struct acceptor *acceptor)
{
    event_del(&acceptor->pause_timer);
    acceptor->paused = false;
    acceptor_update(acceptor);
}

static void acceptor_on_pause_end(evutil_socket_t fd, short events, void *arg)
{
    struct acceptor *acceptor = arg;
    (void)fd;
    (void)events;
    acceptor->paused_in_vain = true;
    acceptor_go_on(acceptor);
}

static void acceptor_on_wakeup(evutil_socket_t fd, short events, void *arg)
{
    struct acceptor *acceptor = arg;
    struct server *server = acceptor->server;
    (void)fd;
    (void)events;
    connection_count_acknowledge(&server->connections);
    acceptor->paused_in_vain = false;
    if (event_pending(&acceptor->probe_timer, EV_TIMEOUT, NULL) &&
        connection_count_served(&server->connections) < acceptor->served_then) {
        event_del(&acceptor->probe_timer);
        shortage_over(server);
    }
    acceptor_go_on(acceptor);
}

/* Whether the system has the resources for another connection. */
static bool acceptor_probe(struct acceptor *acceptor)
{
    struct server *server = acceptor->server;
    return reactor_probe(&acceptor->refusals) == 0 &&
           (server->mode->probe == NULL || server->mode->probe(server) == 0);
}

static void acceptor_on_probe(evutil_socket_t fd, short events, void *arg)
{
    struct acceptor *acceptor = arg;
    (void)fd;
    (void)events;
    if (acceptor_probe(acceptor)) {
        shortage_over(acceptor->server);
    }
    acceptor_go_on(acceptor);
}

void acceptor_close(struct acceptor *acceptor)
{
    acceptor->closing = true;
    listeners_unlink(acceptor->listeners);
    listeners_admit_no_more(acceptor->listeners);
    acceptor->closing_ms = clock_ms(); /* after them: this thread may lose its CPU for a while in between */
    for (size_t i = 0; i < acceptor->listeners->count; i++) {
        int queued = listener_queued(acceptor->listeners->items[i].fd);
        acceptor->remainders[i].queued =
            queued >= 0 ? (unsigned)queued : acceptor->server->options->backlog + 1;
    }
    acceptor_go_on(acceptor);
}

struct listeners_queue acceptor_abandon(struct acceptor *acceptor)
{
    struct listeners_queue queue = listeners_queue(acceptor->listeners);
    if (!acceptor->closed) {
        acceptor_close_listeners(acceptor);
    }
    return queue;
}

/* Returns false if the previous report is not complete yet. */
static bool acceptor_count(struct acceptor *acceptor, bool prints)
{
    struct server *server = acceptor->server;
    if (!report_begin(&acceptor->report, server->service.scoreboard, prints)) {
        return false;
    }
    server->mode->report(server, &acceptor->report);
    reactor_report(&acceptor->refusals, &acceptor->report);
    report_end(&acceptor->report);
    return true;
}

/* A census in progress is complete in a moment, unless a loop is blocked. */
void acceptor_report(struct acceptor *acceptor)
{
    if (acceptor_count(acceptor, true)) {
        return;
    }
    if (acceptor->report.prints || acceptor->report_waits) {
        warn("the previous report is not complete: a loop is blocked");
    } else {
        acceptor->report_waits = true;
    }
}

/* While somebody reads /metrics there is a census each second. */
static void acceptor_on_second(void *arg)
{
    struct acceptor *acceptor = arg;
    struct scoreboard *scoreboard = acceptor->server->service.scoreboard;
    uint64_t now = clock_coarse_ms();
    if (atomic_exchange(&scoreboard->census_asked, false)) {
        acceptor->census_until_ms = now + CENSUS_MS;
    }
    if (acceptor->report_waits) {
        acceptor->report_waits = !acceptor_count(acceptor, true);
    } else if (now >= acceptor->census_until_ms || !acceptor_count(acceptor, false)) {
        atomic_store(&scoreboard->census_known, false);
    }
}

void acceptor_unlink(struct acceptor *acceptor)
{
    listeners_unlink(acceptor->listeners);
    listeners_unlink(acceptor->admin.listeners);
}

void acceptor_finish(struct acceptor *acceptor, int status)
{
    acceptor->status = status;
    event_base_loopbreak(acceptor->base);
}

void acceptor_on_left(struct acceptor *acceptor, void (*left)(void *arg), void *arg)
{
    acceptor->left = left;
    acceptor->left_arg = arg;
}

int acceptor_run(struct acceptor *acceptor)
{
    acceptor_update(acceptor);
    reactor_base_run(acceptor->base);
    return acceptor->status;
}

/* libevent allocates its array of timers with the first one, and gives it room for eight, which suffices for this
 * base. So later timers need no memory; they may be set because there is none. */
static int acceptor_reserve_timers(struct acceptor *acceptor)
{
    static const struct timeval some_time = {.tv_sec = 1};
    int error = event_add(&acceptor->probe_timer, &some_time) == 0 ? 0 : -ENOMEM;
    event_del(&acceptor->probe_timer);
    return error;
}

static int acceptor_assign_events(struct acceptor *acceptor)
{
    struct listeners *listeners = acceptor->listeners;
    for (size_t i = 0; i < listeners->count; i++) {
        event_assign(&acceptor->accept_events[i], acceptor->base, listeners->items[i].fd,
                     EV_READ | EV_PERSIST, acceptor_on_acceptable, acceptor);
    }
    event_assign(&acceptor->pause_timer, acceptor->base, -1, 0, acceptor_on_pause_end, acceptor);
    event_assign(&acceptor->probe_timer, acceptor->base, -1, 0, acceptor_on_probe, acceptor);
    event_assign(&acceptor->queue_timer, acceptor->base, -1, EV_PERSIST, acceptor_on_queue_timer, acceptor);
    event_assign(&acceptor->wakeup_event, acceptor->base, acceptor->server->connections.wakeup.fd,
                 EV_READ | EV_PERSIST, acceptor_on_wakeup, acceptor);
    if (event_add(&acceptor->wakeup_event, NULL) != 0) {
        return -ENOMEM;
    }
    int error = acceptor_reserve_timers(acceptor);
    if (error != 0) {
        event_del(&acceptor->wakeup_event);
    }
    return error;
}

int acceptor_init(struct acceptor *acceptor, struct server *server, struct listeners *listeners,
                  struct listeners *admin)
{
    struct timeouts timeouts = timeouts_of(server->options, ACCEPTOR_REFUSAL_MS);
    struct counters *counters = counters_claim(server->service.scoreboard, SERVER_ACCEPTOR_COUNTERS);
    *acceptor = (struct acceptor){.server = server, .listeners = listeners, .base = reactor_base_new()};
    if (acceptor->base == NULL) {
        return -ENOMEM;
    }
    server->base = acceptor->base;
    int error = reactor_init(&acceptor->refusals, server, acceptor->base, counters, &timeouts);
    if (error != 0) {
        goto fail_base;
    }
    acceptor->refusals.core.linger_ms = ACCEPTOR_REFUSAL_MS - LINGER_UNREAD_MS;
    error = date_timer_init(&acceptor->date, acceptor->base, server->service.scoreboard, acceptor_on_second,
                            acceptor);
    if (error != 0) {
        goto fail_reactor;
    }
    error = admin_init(&acceptor->admin, server, admin, counters, &acceptor->number);
    if (error != 0) {
        goto fail_date;
    }
    error = acceptor_assign_events(acceptor);
    if (error == 0) {
        return 0;
    }
    admin_deinit(&acceptor->admin);
fail_date:
    date_timer_deinit(&acceptor->date);
fail_reactor:
    reactor_deinit(&acceptor->refusals);
fail_base:
    event_base_free(acceptor->base);
    return error;
}

void acceptor_deinit(struct acceptor *acceptor)
{
    acceptor_listen(acceptor, false);
    event_del(&acceptor->wakeup_event);
    event_del(&acceptor->pause_timer);
    event_del(&acceptor->probe_timer);
    event_del(&acceptor->queue_timer);
    admin_deinit(&acceptor->admin);
    date_timer_deinit(&acceptor->date);
    reactor_deinit(&acceptor->refusals);
    event_base_free(acceptor->base);
}
