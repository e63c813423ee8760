/* SPDX-License-Identifier: MIT */
/* Each connection has one socket event and one timer. An immediate failure is reported in the loop's next iteration:
 * otherwise an owner that asks again each time would be called in an ever deeper recursion. */
#include "loadtest/swarm/connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "loadtest/swarm/timing/nanoseconds.h"
#include "loadtest/swarm/http/endpoint.h"

#define RETRY_AFTER (5 * NANOSECONDS_PER_MILLISECOND) /* a local socket's queue that is full */

static int connection_fd(const struct connection *connection)
{
    return (int)connection->socket.ev_fd;
}

/* Adding an event fails only without memory or without room in epoll's set. Then nothing can be measured. */
static void must_add(struct event *event, const struct timeval *delay)
{
    if (event_add(event, delay) != 0) {
        fprintf(stderr, "swarm: cannot wait for an event: %s\n", strerror(errno));
        exit(EXIT_FAILURE);
    }
}

static void on_socket(evutil_socket_t fd, short events, void *context);
static void on_timer(evutil_socket_t fd, short events, void *context);

/* The one place where what is waited for changes. */
static void connection_await(struct connection *connection, int fd, short interest)
{
    if (connection->interest == interest && connection_fd(connection) == fd) {
        return;
    }
    if (connection->interest != 0) {
        event_del(&connection->socket);
    }
    connection->interest = interest;
    event_assign(&connection->socket, connection->plan->base, fd, (short)(interest | EV_PERSIST), on_socket,
                 connection);
    if (interest != 0) {
        must_add(&connection->socket, NULL);
    }
}

static void connection_set_timer(struct connection *connection, uint64_t duration, short persist)
{
    struct timeval delay = nanoseconds_timeval(duration);
    event_del(&connection->timer);
    event_assign(&connection->timer, connection->plan->base, -1, persist, on_timer, connection);
    must_add(&connection->timer, &delay);
}

void connection_init(struct connection *connection, const struct plan *plan, size_t number)
{
    *connection = (struct connection){.plan = plan, .number = number};
    event_assign(&connection->socket, plan->base, -1, 0, on_socket, connection);
    event_assign(&connection->timer, plan->base, -1, 0, on_timer, connection);
}

void connection_deinit(struct connection *connection)
{
    int fd = connection_fd(connection);
    connection_await(connection, -1, 0);
    event_del(&connection->timer);
    connection->state = CONNECTION_CLOSED;
    connection->error = 0;
    if (fd >= 0) {
        close(fd);
    }
}

static void connection_settle(struct connection *connection, enum outcome outcome, const char *why,
                              uint64_t now)
{
    const struct settled settled = {.outcome = outcome,
                                    .status = outcome_is_answer(outcome) ? connection->response.status : 0,
                                    .due = connection->due,
                                    .now = now,
                                    .why = why};
    connection->asks = false;
    connection->plan->events->settled(connection, &settled);
}

/* The request fails, and the connection with it. */
static void connection_fail(struct connection *connection, enum outcome outcome, const char *why)
{
    connection_deinit(connection);
    connection_settle(connection, outcome, why, nanoseconds_now());
    connection->plan->events->ready(connection);
}

static void connection_not_opened(struct connection *connection, int error)
{
    if (connection->asks) {
        connection_fail(connection, OUTCOME_CONNECT, endpoint_error(error));
    } else {
        connection_deinit(connection);
        connection->plan->events->opened(connection, endpoint_error(error));
    }
}

void connection_open(struct connection *connection)
{
    const struct plan *plan = connection->plan;
    int fd = endpoint_connect(plan->options, connection->number, plan->of->receive_buffer);
    connection->state = CONNECTION_CONNECTING;
    if (fd >= 0) {
        connection_await(connection, fd, EV_WRITE);
    } else if (fd == -EAGAIN) {
        connection_set_timer(connection, RETRY_AFTER, 0);
    } else {
        connection->error = -fd;
        event_active(&connection->timer, EV_TIMEOUT, 0);
    }
}

/* Returns the events of the socket to wait for while a request is in progress. A connection that trickles reads or
 * sends when its timer expires instead. */
static short busy_interest(const struct connection *connection)
{
    const struct options_class *of = connection->plan->of;
    bool reads = of->trickle_read.bytes == 0;
    bool writes = connection->sent < connection->plan->request->length && of->trickle_send.bytes == 0;
    return (short)((reads ? EV_READ : 0) | (writes ? EV_WRITE : 0));
}

/* Sends once. If that fails, the server may have answered nevertheless (413): the error counts only if no answer
 * comes. */
static void connection_send(struct connection *connection)
{
    const struct plan *plan = connection->plan;
    size_t pace = plan->of->trickle_send.bytes;
    size_t size = plan->request->length - connection->sent;
    if (pace != 0 && size > pace) {
        size = pace;
    }
    ssize_t n = send(connection_fd(connection), plan->request->bytes + connection->sent, size, MSG_NOSIGNAL);
    if (n >= 0) {
        connection->sent += (size_t)n;
        plan->events->moved(connection, (size_t)n, 0);
    } else if (errno != EAGAIN && errno != EINTR) {
        connection->error = errno;
        connection->sent = plan->request->length;
    }
    if (pace != 0 && connection->sent == plan->request->length) {
        event_del(&connection->timer);
    }
    connection_await(connection, connection_fd(connection), busy_interest(connection));
}

static void connection_begin(struct connection *connection)
{
    const struct plan *plan = connection->plan;
    uint64_t every_ms =
        plan->of->trickle_send.every_ms + plan->of->trickle_read.every_ms; /* one of them is 0 */
    connection->state = CONNECTION_BUSY;
    connection->sent = 0;
    response_begin(&connection->response, &plan->request->expectation, plan->request->to_head);
    if (every_ms != 0) {
        connection_set_timer(connection, every_ms * NANOSECONDS_PER_MILLISECOND, EV_PERSIST);
    }
    connection_send(connection);
}

void connection_ask(struct connection *connection, uint64_t due)
{
    connection->due = due;
    connection->asks = true;
    connection->asked++;
    if (connection->state == CONNECTION_CLOSED) {
        connection_open(connection);
    } else {
        connection_begin(connection);
    }
}

static void connection_opened(struct connection *connection)
{
    int error = 0;
    socklen_t size = sizeof(error);
    getsockopt(connection_fd(connection), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
        connection_not_opened(connection, error);
        return;
    }
    connection->state = CONNECTION_IDLE;
    if (connection->asks) {
        connection->plan->events->opened(connection, NULL);
        connection_begin(connection);
    } else {
        connection_await(connection, connection_fd(connection), EV_READ);
        connection->plan->events->opened(connection, NULL);
    }
}

static enum outcome judge(const struct connection *connection, uint64_t now)
{
    const struct options_class *of = connection->plan->of;
    for (unsigned i = 0; i < of->statuses.count; i++) {
        if (of->statuses.items[i] == connection->response.status) {
            return response_body_right(&connection->response)
                       ? outcome_by_deadline(connection->due, now,
                                             of->deadline_ms * NANOSECONDS_PER_MILLISECOND)
                       : OUTCOME_BODY;
        }
    }
    return connection->response.status == 503 ? OUTCOME_REFUSED : OUTCOME_STATUS;
}

/* With `ended`, the server has closed already. */
static void connection_answered(struct connection *connection, bool ended, uint64_t now)
{
    const struct plan *plan = connection->plan;
    char why[64];
    bool sent = connection->sent == plan->request->length && connection->error == 0;
    enum outcome outcome = judge(connection, now);
    if (outcome == OUTCOME_BODY) {
        snprintf(why, sizeof(why), "%llu bytes, not the expected ones",
                 (unsigned long long)connection->response.body_length);
    } else {
        snprintf(why, sizeof(why), "%u", connection->response.status);
    }
    if (ended || !sent) {
        connection_deinit(connection);
    } else {
        bool stays = connection->response.keep_alive && !plan->of->close;
        event_del(&connection->timer);
        connection->state = stays ? CONNECTION_IDLE : CONNECTION_PARTING;
        connection_await(connection, connection_fd(connection), EV_READ);
    }
    connection_settle(connection, outcome, why, now);
    if (connection->state != CONNECTION_PARTING) {
        plan->events->ready(connection);
    }
}

static ssize_t connection_receive(struct connection *connection)
{
    const struct plan *plan = connection->plan;
    size_t size = plan->of->trickle_read.bytes;
    if (size == 0 || size > plan->input_size || connection->state != CONNECTION_BUSY) {
        size = plan->input_size;
    }
    ssize_t n = recv(connection_fd(connection), plan->input, size, 0);
    if (n > 0) {
        plan->events->moved(connection, 0, (size_t)n);
    }
    return n;
}

static bool is_passing(ssize_t n)
{
    return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* Ends a request without an answer: with OUTCOME_WRITE if it was not sent completely, otherwise with OUTCOME_READ. */
static void connection_break(struct connection *connection, const char *why)
{
    bool sent = connection->sent == connection->plan->request->length && connection->error == 0;
    connection_fail(connection, sent ? OUTCOME_READ : OUTCOME_WRITE, why);
}

static void connection_read_answer(struct connection *connection)
{
    ssize_t n = connection_receive(connection);
    uint64_t now = nanoseconds_now();
    size_t used = 0;
    if (is_passing(n)) {
        return;
    }
    if (n < 0) {
        connection_break(connection, endpoint_error(connection->error != 0 ? connection->error : errno));
        return;
    }
    enum response_progress progress =
        n == 0 ? response_end(&connection->response)
               : response_feed(&connection->response, connection->plan->input, (size_t)n, &used);
    switch (progress) {
    case RESPONSE_MORE: return;
    case RESPONSE_BAD: connection_break(connection, response_error(&connection->response)); return;
    case RESPONSE_DONE: break;
    }
    if (used < (size_t)n) {
        connection_fail(connection, OUTCOME_READ, "bytes behind the answer that nobody asked for");
    } else {
        connection_answered(connection, n == 0, now);
    }
}

/* Nothing was asked: whatever comes is the end. */
static void connection_read_idle(struct connection *connection)
{
    if (!is_passing(connection_receive(connection))) {
        connection_deinit(connection);
        connection->plan->events->lost(connection);
    }
}

static void connection_read_parting(struct connection *connection)
{
    ssize_t n = connection_receive(connection);
    if (n <= 0 && !is_passing(n)) {
        connection_deinit(connection);
        connection->plan->events->ready(connection);
    }
}

static void on_socket(evutil_socket_t fd, short events, void *context)
{
    struct connection *connection = context;
    (void)fd;
    switch (connection->state) {
    case CONNECTION_CLOSED: break;
    case CONNECTION_CONNECTING: connection_opened(connection); break;
    case CONNECTION_IDLE: connection_read_idle(connection); break;
    case CONNECTION_BUSY:
        if ((events & EV_READ) != 0) {
            connection_read_answer(connection);
        } else {
            connection_send(connection);
        }
        break;
    case CONNECTION_PARTING: connection_read_parting(connection); break;
    }
}

static void on_timer(evutil_socket_t fd, short events, void *context)
{
    struct connection *connection = context;
    (void)fd;
    (void)events;
    switch (connection->state) {
    case CONNECTION_CLOSED:
    case CONNECTION_IDLE: connection->plan->events->ready(connection); break;
    case CONNECTION_CONNECTING:
        if (connection->error != 0) {
            connection_not_opened(connection, connection->error);
        } else {
            connection_open(connection);
        }
        break;
    case CONNECTION_BUSY:
        if (connection->plan->of->trickle_read.bytes != 0) {
            connection_read_answer(connection);
        } else {
            connection_send(connection);
        }
        break;
    case CONNECTION_PARTING: break;
    }
}

void connection_time_out(struct connection *connection)
{
    switch (connection->state) {
    case CONNECTION_CLOSED:
    case CONNECTION_IDLE: break;
    case CONNECTION_CONNECTING: connection_not_opened(connection, ETIMEDOUT); break;
    case CONNECTION_BUSY: connection_fail(connection, OUTCOME_TIMEOUT, "no whole answer in time"); break;
    case CONNECTION_PARTING:
        connection_deinit(connection);
        connection->plan->events->ready(connection);
        break;
    }
}

void connection_rest(struct connection *connection, uint64_t duration)
{
    connection_set_timer(connection, duration, 0);
}
