/* SPDX-License-Identifier: MIT */
/* A connection's way: served, lingering perhaps, closed. */
#include "server/drivers/event/connection.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "server/drivers/shared/access_log.h"
#include "server/drivers/shared/pump.h"
#include "server/net/transport.h"

static int connection_fd(const struct connection *connection)
{
    return connection->event.ev_fd;
}

/* ---- the lists ---- */

/* Tells the acceptor when the connection that has lingered longest began to linger. */
static COLD void connection_publish_lingering(const struct reactor_core *core)
{
    const struct connection *oldest = TAILQ_FIRST(&core->lists[REACTOR_LINGERING]);
    atomic_store_explicit(&core->context.counters->lingering_since_ms,
                          oldest == NULL ? 0 : oldest->lingering.began, memory_order_relaxed);
}

static COLD void connection_link(struct connection *connection, enum reactor_list list)
{
    static const struct timeval place_poll = {.tv_usec = LINGER_POLL_INTERVAL_MS * 1000L};
    struct reactor_core *core = connection->core;
    connection->list = (uint8_t)list;
    TAILQ_INSERT_TAIL(&core->lists[list], connection, others);
    if (list != REACTOR_LINGERING) {
        return;
    }
    connection_count_linger_begin(core->connections, connection->session.refusing == REFUSAL_NOT);
    if (core->lingering++ == 0) {
        event_add(&core->place_poll, &place_poll);
        connection_publish_lingering(core);
    }
}

static COLD void connection_unlink(struct connection *connection)
{
    struct reactor_core *core = connection->core;
    TAILQ_REMOVE(&core->lists[connection->list], connection, others);
    if (connection->list == REACTOR_LINGERING) {
        connection_count_linger_end(core->connections, connection->session.refusing == REFUSAL_NOT);
        core->lingering--;
        connection_publish_lingering(core);
    }
}

COLD void connection_move(struct connection *connection, enum reactor_list list)
{
    connection_unlink(connection);
    connection_link(connection, list);
}

/* ---- waiting ---- */

static void connection_on_event(evutil_socket_t fd, short events, void *arg);

/* The only function that changes the events for which the connection waits. */
static NOINLINE bool connection_await_anew(struct connection *connection, unsigned interest,
                                           const struct timeval *delay)
{
    if (connection->interest != 0 || connection->timed) {
        event_del(&connection->event);
    }
    connection->interest = (uint8_t)interest;
    connection->timed = delay != NULL;
    if (interest == 0 && delay == NULL) {
        return true;
    }
    event_assign(&connection->event, connection->core->base, connection_fd(connection),
                 (short)(interest | EV_PERSIST), connection_on_event, connection);
    return event_add(&connection->event, delay) == 0;
}

/* Waits for events of the socket and, if `delay` is there, for a time after which the connection is called in any case.
 * False if there is no memory for it. */
static ALWAYS_INLINE bool connection_await(struct connection *connection, unsigned interest,
                                           const struct timeval *delay)
{
    return likely(connection->interest == interest && !connection->timed && delay == NULL) ||
           connection_await_anew(connection, interest, delay);
}

struct connection *connection_new(struct reactor_core *core, const struct accepted *accepted,
                                  enum refusal refusing)
{
    struct connection *connection = malloc(sizeof(*connection));
    if (connection == NULL) {
        return NULL;
    }
    connection->core = core;
    connection->since = 0;
    connection->interest = 0;
    connection->timed = false;
    connection->working = false;
    event_assign(&connection->event, core->base, accepted->fd, 0, connection_on_event, connection);
    session_init(&connection->session, accepted->number, &accepted->peer, refusing);
    if (!connection_await(connection, EV_READ, NULL)) {
        session_deinit(&connection->session, core->context.output.budget);
        free(connection);
        return NULL;
    }
    connection_link(connection, REACTOR_RESTARTED);
    core->count++;
    return connection;
}

COLD void connection_free(struct connection *connection)
{
    struct reactor_core *core = connection->core;
    int fd = connection_fd(connection);
    connection_await(connection, 0, NULL);
    if (connection->working) {
        connection->gone = true;
        return;
    }
    if (core->context.log != NULL) {
        session_log_abandoned(&connection->session, &core->context);
    }
    bool refused = connection->session.refusing != REFUSAL_NOT;
    uint64_t number = connection->session.number;
    if (connection->list == REACTOR_LINGERING) {
        TRACE(linger_end, number, UINT64_C(0));
    }
    session_deinit(&connection->session, core->context.output.budget);
    TRACE(close, number, UINT64_C(0));
    connection_unlink(connection);
    core->count--;
    free(connection);
    if (refused) { /* first: who has seen the end finds the place free */
        connection_count_drop_refused(core->connections);
    } else {
        connection_count_drop(core->connections);
    }
    close(fd);
}

static struct timeval timeval_of(uint64_t us)
{
    return (struct timeval){.tv_sec = (time_t)(us / 1000000), .tv_usec = (suseconds_t)(us % 1000000)};
}

/* If only the deadline changes, epoll is left alone: to continue reading costs no system call for it. */
static bool connection_await_lingering(struct connection *connection, uint64_t now)
{
    uint64_t deadline = lingering_deadline(&connection->lingering);
    struct timeval delay = timeval_of(deadline > now ? (deadline - now) * 1000 : 0);
    unsigned interest = connection->lingering.unread ? 0 : EV_READ;
    if (connection->interest == interest && connection->timed) {
        return event_add(&connection->event, &delay) == 0;
    }
    return connection_await(connection, interest, &delay);
}

COLD void connection_linger(struct connection *connection)
{
    struct reactor_core *core = connection->core;
    uint64_t now = clock_ms();
    TRACE(linger_begin, connection->session.number, UINT64_C(0));
    if (core->context.log != NULL) {
        session_log_abandoned(&connection->session, &core->context);
    }
    session_deinit(&connection->session, core->context.output.budget);
    connection->lingering = lingering_begin(connection_fd(connection), now, core->linger_ms);
    connection_move(connection, REACTOR_LINGERING);
    lingering_shut_down(connection_fd(connection));
    if (!connection_await_lingering(connection, now)) {
        connection_free(connection);
    }
}

static COLD void connection_end(struct connection *connection)
{
    switch (session_close_mode(&connection->session)) {
    case CLOSE_LINGERING: connection_linger(connection); break;
    case CLOSE_RESET:
        transport_reset(connection_fd(connection));
        connection_free(connection);
        break;
    case CLOSE_NOW:
    case CLOSE_ABORT: connection_free(connection); break;
    }
}

static COLD bool connection_await_alarm(struct connection *connection, unsigned interest)
{
    uint64_t now = clock_us();
    if (session_wait_take(&connection->session)) {
        connection->alarm_us = now + session_wait_ms(&connection->session) * 1000;
    }
    uint64_t left = connection->alarm_us > now ? connection->alarm_us - now : 0;
    struct timeval delay = timeval_of(left);
    return connection_await(connection, interest, &delay);
}

static void connection_pump(struct connection *connection, enum io_event event, struct span bytes);

static const struct timeval at_once = {0};

/* Gives the session's work to the workers. Without workers the loop does it in its next iteration: one piece per
 * connection and iteration, and all others get theirs. So work is rejected, too: a client may have sent thousands of such
 * requests. */
static COLD bool connection_await_work(struct connection *connection)
{
    struct reactor_core *core = connection->core;
    if (core->workers == NULL) {
        return connection_await(connection, 0, &at_once);
    }
    connection_await(connection, 0, NULL);
    connection->working = true;
    connection->gone = false;
    if (workers_submit(core->workers, session_work(&connection->session), &core->completions, connection) ==
        0) {
        return true;
    }
    connection->working = false;
    return connection_await(connection, 0, &at_once);
}

/* Whether its answer would go on for as long as the client likes, so that a drain ends it. */
static bool connection_is_endless(const struct connection *connection)
{
    return session_drainable(&connection->session) && !session_idle(&connection->session);
}

static bool connection_is_cut_off(const struct connection *connection)
{
    return scoreboard_cutting(connection->core->context.service->scoreboard);
}

void connection_work_done(struct connection *connection)
{
    connection->working = false;
    if (connection->gone) {
        connection_free(connection);
    } else if (connection_is_cut_off(connection)) {
        connection_cut_off(connection);
    } else {
        connection_pump(connection, IO_RESUMED, PUMP_NO_BYTES);
    }
}

/* An answer that a drain ends does so in the loop's next iteration: behind it the client may have sent thousands of requests
 * whose answers end so. */
static COLD void connection_settle_drain(struct connection *connection, unsigned interest)
{
    if (connection_is_endless(connection)) {
        if (!connection_await(connection, interest, &at_once)) {
            connection_free(connection);
        }
    } else {
        connection_drain(connection);
    }
}

/* After a pass: waits for what the session wants. */
static void connection_settle(struct connection *connection)
{
    if (unlikely(connection->list != REACTOR_RESTARTED) && session_timer_take(&connection->session)) {
        connection_move(connection, REACTOR_RESTARTED);
    }
    struct reactor_core *core = connection->core;
    unsigned wants = session_wants(&connection->session, &core->context);
    if ((wants & WANT_CLOSE) != 0) {
        connection_end(connection);
        return;
    }
    if (wants == WANT_WORK) {
        if (!connection_await_work(connection)) {
            connection_free(connection);
        }
        return;
    }
    unsigned interest =
        ((wants & WANT_READ) != 0 ? EV_READ : 0u) | ((wants & WANT_WRITE) != 0 ? EV_WRITE : 0u);
    bool awaits = (wants & WANT_WAIT) != 0 ? connection_await_alarm(connection, interest)
                                           : connection_await(connection, interest, NULL);
    if (!awaits) {
        connection_free(connection);
    } else if (core->draining) {
        connection_settle_drain(connection, interest);
    }
}

static void connection_pump(struct connection *connection, enum io_event event, struct span bytes)
{
    if (session_pump(&connection->session, &connection->core->context, connection_fd(connection), event,
                     bytes)) {
        connection_settle(connection);
    } else {
        connection_free(connection);
    }
}

/* Reads once. Bytes that do not fit into the buffer are read in the loop's next iteration, after the other connections
 * have had their turn. `nothing` is the event to pass to the session if there are no bytes. */
static void connection_receive(struct connection *connection, enum io_event nothing)
{
    struct reactor_core *core = connection->core;
    size_t size = pump_read_size(&core->context, REACTOR_INPUT_SIZE);
    struct transfer read = transport_receive(connection_fd(connection), core->input, size, TRANSPORT_NO_WAIT);
    switch (read.outcome) {
    case TRANSPORT_MOVED:
        connection_pump(connection, IO_DATA, (struct span){.data = core->input, .length = read.length});
        break;
    case TRANSPORT_RETRY:
    case TRANSPORT_INTERRUPTED: connection_pump(connection, nothing, PUMP_NO_BYTES); break;
    case TRANSPORT_END: connection_pump(connection, IO_EOF, PUMP_NO_BYTES); break;
    case TRANSPORT_ERROR: connection_free(connection); break;
    }
}

static COLD void connection_go_on_lingering(struct connection *connection, short events)
{
    struct reactor_core *core = connection->core;
    struct lingering *lingering = &connection->lingering;
    uint64_t now = clock_ms();
    bool stays = lingering_advance(lingering, connection_fd(connection), (events & EV_READ) != 0, core->input,
                                   REACTOR_INPUT_SIZE, now);
    if (!stays || !connection_await_lingering(connection, now)) {
        connection_free(connection);
    }
}

/* The wait is over, or it is the turn of the work, or of its rejection. libevent's clock is coarse: a wait may have to go on for a little. */
static COLD void connection_on_timer(struct connection *connection)
{
    if ((session_wants(&connection->session, &connection->core->context) & WANT_WORK) != 0) {
        if (connection->core->workers != NULL) {
            connection_pump(connection, IO_REJECTED, PUMP_NO_BYTES);
            return;
        }
        struct work *work = session_work(&connection->session);
        access_log_flush(&connection->core->context);
        struct counters *counters = connection->core->context.counters;
        counters_show(counters, ACTIVITY_WORKING);
        work_run(work);
        counters_show(counters, ACTIVITY_NONE);
        if (connection_is_cut_off(connection)) {
            connection_cut_off(connection);
            return;
        }
    } else if (clock_us() < connection->alarm_us) {
        connection_settle(connection);
        return;
    }
    connection_pump(connection, IO_RESUMED, PUMP_NO_BYTES);
}

static void connection_on_event(evutil_socket_t fd, short events, void *arg)
{
    struct connection *connection = arg;
    (void)fd;
    if (unlikely(connection->list == REACTOR_LINGERING)) {
        connection_go_on_lingering(connection, events);
    } else if (unlikely((events & EV_TIMEOUT) != 0) && connection->core->draining &&
               connection_is_endless(connection)) {
        connection_pump(connection, IO_SHUTDOWN, PUMP_NO_BYTES);
    } else if ((events & EV_READ) != 0) {
        connection_receive(connection, IO_WRITABLE);
    } else if ((events & EV_TIMEOUT) != 0) {
        connection_on_timer(connection);
    } else {
        connection_pump(connection, IO_WRITABLE, PUMP_NO_BYTES);
    }
}

/* Whether the client has reset the connection while its answer waits or its work runs. The socket is not read then, so
 * that only poll shows the reset. */
static bool connection_was_reset(const struct connection *connection)
{
    struct pollfd socket = {.fd = connection_fd(connection)};
    return !(connection->working && connection->gone) && poll(&socket, 1, 0) == 1 &&
           (socket.revents & (POLLERR | POLLHUP)) != 0;
}

void connection_due(struct connection *connection)
{
    if (connection->session.timer != TIMER_NONE) {
        connection_pump(connection, IO_TIMEOUT, PUMP_NO_BYTES);
    } else if (connection_was_reset(connection)) {
        connection_free(connection);
    }
}

void connection_tell(struct connection *connection)
{
    connection_receive(connection, IO_TIMEOUT);
}

void connection_drain(struct connection *connection)
{
    if (connection->list == REACTOR_LINGERING) { /* its session is over */
        return;
    }
    if (session_idle(&connection->session)) {
        connection_receive(connection, IO_SHUTDOWN);
    } else if (session_drainable(&connection->session)) {
        connection_pump(connection, IO_SHUTDOWN, PUMP_NO_BYTES);
    }
}

/* A worker that has its work returns that soon. */
void connection_cut_off(struct connection *connection)
{
    struct session *session = &connection->session;
    if (connection->working || connection->list == REACTOR_LINGERING) {
        return;
    }
    if (session->refusing != REFUSAL_NOT && session_unasked(session)) {
        connection_tell(connection);
    } else if (session_idle(session)) {
        connection_drain(connection);
    } else {
        pump_cut_off(session, &connection->core->context);
        connection_free(connection);
    }
}
