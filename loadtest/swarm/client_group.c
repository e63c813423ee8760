/* SPDX-License-Identifier: MIT */
/* Every connection is in one of three lists; what happens to it moves it. */
#include "loadtest/swarm/client_group.h"

#include <stdlib.h>

#include "loadtest/swarm/timing/nanoseconds.h"

#define REST \
    (50 *    \
     NANOSECONDS_PER_MILLISECOND) /* of a closed class's connection that failed: else a dead server is a busy loop */

static struct client_group *client_group_of(const struct connection *connection)
{
    return connection->plan->owner;
}

static void client_group_move(struct connection *connection, struct connection_list *list, uint64_t now)
{
    if (connection->list != NULL) {
        TAILQ_REMOVE(connection->list, connection, others);
    }
    connection->list = list;
    connection->since = now;
    TAILQ_INSERT_TAIL(list, connection, others);
}

static void client_group_check_end(const struct client_group *group)
{
    if (group->asking == 0) {
        event_active(group->shared->check, EV_TIMEOUT, 0);
    }
}

/* Whether a request that was due at `due` counts. If the group began `lag` after the load, its window is later by
 * `lag`, too. */
static bool client_group_counts(const struct client_group *group, uint64_t due)
{
    return shared_in_window(group->shared, due - group->lag);
}

static void client_group_note_offered(struct client_group *group, uint64_t now)
{
    if (shared_in_window(group->shared, now)) {
        group->stats.offered++;
        series_offered(&group->series, now - group->shared->window_begin);
    }
}

/* Counts a request that ended in the window, whenever it was due. */
static void client_group_note_settled(struct client_group *group, const struct settled *settled)
{
    if (shared_in_window(group->shared, settled->now)) {
        group->stats.came += outcome_is_right(settled->outcome);
        group->stats.good += settled->outcome == OUTCOME_RIGHT;
        series_settled(&group->series, settled, settled->now - group->shared->window_begin);
    }
}

static void client_group_ask(struct connection *connection, uint64_t due, uint64_t now)
{
    struct client_group *group = client_group_of(connection);
    client_group_move(connection, &group->flight, now);
    group->asking++;
    if (group->shared->phase != PHASE_OPENING) {
        group->started++;
        group->first_begun = group->first_begun != 0 ? group->first_begun : now;
        if (client_group_counts(group, due)) {
            stats_begin(&group->stats, due, group->of->rate != 0 ? connection->free_since : 0, now);
        }
        client_group_note_offered(group, now);
    }
    connection_ask(connection, due);
}

static void client_group_await_due(struct client_group *group, uint64_t now)
{
    if (group->awaited == group->started) {
        return;
    }
    uint64_t due = schedule_due(&group->schedule, group->started);
    struct timeval delay = nanoseconds_timeval(due > now ? due - now : 0);
    group->awaited = group->started;
    event_add(group->due, &delay);
}

/* Rate model: as many requests as are due go to connections that are free. */
static void client_group_serve_due(struct client_group *group)
{
    uint64_t now = nanoseconds_now();
    uint64_t due = schedule_count(&group->schedule, now);
    struct connection *connection;
    while (group->started < due && group->started < group->total &&
           (connection = TAILQ_FIRST(&group->free)) != NULL) {
        client_group_ask(connection, schedule_due(&group->schedule, group->started), now);
    }
    if (group->started < group->total && !TAILQ_EMPTY(&group->free)) {
        client_group_await_due(group, nanoseconds_now());
    }
}

static void on_due(evutil_socket_t fd, short events, void *context)
{
    struct client_group *group = context;
    (void)fd;
    (void)events;
    group->awaited = UINT64_MAX;
    client_group_serve_due(group);
}

/* Closed model: whether this connection may ask once more. */
static bool client_group_may_ask(const struct client_group *group, const struct connection *connection)
{
    const struct options_class *of = group->of;
    return group->shared->phase == PHASE_LOAD && (of->requests == 0 || group->started < of->requests) &&
           (of->each == 0 || connection->asked < of->each);
}

static void client_group_next(struct connection *connection, uint64_t now)
{
    struct client_group *group = client_group_of(connection);
    if (!client_group_may_ask(group, connection)) {
        group->spent += group->of->each != 0 && connection->asked == group->of->each;
        client_group_move(connection, &group->free, now);
    } else if (connection->unlucky) {
        connection->unlucky = false;
        client_group_move(connection, &group->resting, now);
        connection_rest(connection, REST);
    } else {
        client_group_ask(connection, now, now);
    }
}

static void on_ready(struct connection *connection)
{
    struct client_group *group = client_group_of(connection);
    uint64_t now = nanoseconds_now();
    connection->free_since = now;
    if (group->shared->phase < PHASE_LOAD || group->of->hold) {
        client_group_move(connection, &group->free, now);
    } else if (group->of->rate != 0) {
        client_group_move(connection, &group->free, now);
        client_group_serve_due(group);
    } else {
        client_group_next(connection, now);
    }
    client_group_check_end(group);
}

static void client_group_greeted(struct client_group *group, struct connection *connection,
                                 const struct settled *settled)
{
    connection->asked = 0;
    group->shared->opening--;
    if (outcome_is_right(settled->outcome)) {
        group->greeted.answered++;
    } else if (settled->outcome == OUTCOME_REFUSED) {
        group->greeted.refused++;
    } else {
        group->greeted.failed++;
        stats_note(&group->stats, settled->outcome, settled->why);
    }
}

static void on_settled(struct connection *connection, const struct settled *settled)
{
    struct client_group *group = client_group_of(connection);
    struct stats *stats = &group->stats;
    group->asking--;
    connection->unlucky = !outcome_is_answer(settled->outcome);
    client_group_move(connection, &group->flight, settled->now); /* its parting has the whole timeout, too */
    if (group->shared->phase == PHASE_OPENING) {
        client_group_greeted(group, connection, settled);
    } else {
        if (client_group_counts(group, settled->due)) {
            stats_settle(stats, settled);
        }
        client_group_note_settled(group, settled);
        if (outcome_is_answer(settled->outcome)) {
            group->last_answer = settled->now;
        }
    }
    client_group_check_end(group);
}

static void on_opened(struct connection *connection, const char *why)
{
    struct client_group *group = client_group_of(connection);
    if (group->shared->phase != PHASE_OPENING) {
        group->count.reopened++;
        return;
    }
    uint64_t now = nanoseconds_now();
    if (why != NULL) {
        group->count.failed++;
        stats_note(&group->stats, OUTCOME_CONNECT, why);
    } else {
        group->count.opened++;
        connection->free_since = now;
        if (group->of->greet) {
            client_group_ask(connection, now, now);
            return;
        }
    }
    group->shared->opening--;
    client_group_move(connection, &group->free, now);
    client_group_check_end(group);
}

static void on_lost(struct connection *connection)
{
    client_group_of(connection)->count.closed++;
}

static void on_moved(struct connection *connection, size_t sent, size_t received)
{
    struct client_group *group = client_group_of(connection);
    if (group->shared->counting) {
        group->stats.bytes_sent += sent;
        group->stats.bytes_received += received;
    }
}

static const struct connection_events EVENTS = {
    .opened = on_opened,
    .settled = on_settled,
    .ready = on_ready,
    .lost = on_lost,
    .moved = on_moved,
};

bool client_group_init(struct client_group *group, struct shared *shared, const struct options_class *of,
                       size_t first)
{
    group->shared = shared;
    group->of = of;
    group->connections = calloc(of->connections, sizeof(*group->connections));
    group->due = event_new(shared->base, -1, 0, on_due, group);
    if (group->connections == NULL || group->due == NULL ||
        !request_build(&group->request, shared->options, of) ||
        !series_init(&group->series, shared->options->interval_ms * NANOSECONDS_PER_MILLISECOND,
                     shared->options->duration_ms * NANOSECONDS_PER_MILLISECOND)) {
        return false;
    }
    group->plan = (struct plan){.base = shared->base,
                                .options = shared->options,
                                .of = of,
                                .request = &group->request,
                                .events = &EVENTS,
                                .owner = group,
                                .input = shared->input,
                                .input_size = sizeof(shared->input)};
    TAILQ_INIT(&group->free);
    TAILQ_INIT(&group->flight);
    TAILQ_INIT(&group->resting);
    for (unsigned i = 0; i < of->connections; i++) {
        connection_init(&group->connections[i], &group->plan, first + i);
        client_group_move(&group->connections[i], &group->free, 0);
    }
    group->count.asked = of->close ? 0 : of->connections;
    return true;
}

void client_group_deinit(struct client_group *group)
{
    for (unsigned i = 0; group->plan.owner != NULL && i < group->of->connections; i++) {
        connection_deinit(&group->connections[i]);
    }
    if (group->due != NULL) {
        event_free(group->due);
    }
    request_free(&group->request);
    series_deinit(&group->series);
    free(group->connections);
}

bool client_group_open_next(struct client_group *group)
{
    if (group->begun == group->count.asked) {
        return false;
    }
    struct connection *connection = &group->connections[group->begun++];
    group->shared->opening++;
    client_group_move(connection, &group->flight, nanoseconds_now());
    connection_open(connection);
    return true;
}

static void client_group_start_rate(struct client_group *group, uint64_t now)
{
    uint64_t end = group->shared->window_end;
    group->schedule = (struct schedule){.start = now, .rate = group->of->rate};
    group->awaited = UINT64_MAX;
    group->lag = now - group->shared->load_begin;
    group->total =
        end == NANOSECONDS_NEVER ? UINT64_MAX : schedule_count(&group->schedule, end + group->lag - 1);
    if (group->of->requests != 0 && group->of->requests < group->total) {
        group->total = group->of->requests;
    }
    for (unsigned i = 0; i < group->of->connections; i++) {
        group->connections[i].free_since = 0;
    }
    client_group_serve_due(group);
}

void client_group_start(struct client_group *group, uint64_t now)
{
    if (group->of->rate != 0) {
        client_group_start_rate(group, now);
        return;
    }
    for (unsigned i = 0; !group->of->hold && i < group->of->connections; i++) {
        if (group->connections[i].list == &group->free) {
            client_group_next(&group->connections[i], nanoseconds_now());
        }
    }
}

void client_group_time_out(struct client_group *group, uint64_t now)
{
    uint64_t timeout = group->of->timeout_ms * NANOSECONDS_PER_MILLISECOND;
    struct connection *connection;
    while ((connection = TAILQ_FIRST(&group->flight)) != NULL && connection->since + timeout <= now) {
        connection_time_out(connection);
    }
}

static bool client_group_asked_all(const struct client_group *group)
{
    const struct options_class *of = group->of;
    bool grace = group->shared->phase == PHASE_GRACE;
    if (of->rate != 0) {
        return group->started == group->total && (grace || of->requests != 0);
    }
    return of->hold || grace || (of->requests != 0 && group->started >= of->requests) ||
           (of->each != 0 && group->spent == of->connections);
}

bool client_group_done(const struct client_group *group)
{
    bool trickles = group->of->trickle_send.bytes != 0 || group->of->trickle_read.bytes != 0;
    return (trickles && group->shared->phase == PHASE_GRACE) ||
           (group->asking == 0 && client_group_asked_all(group));
}

uint64_t client_group_unsent(const struct client_group *group, uint64_t now)
{
    if (group->of->rate == 0 || group->schedule.rate == 0) {
        return 0;
    }
    uint64_t due = schedule_count(&group->schedule, now);
    uint64_t early = schedule_count(&group->schedule, group->shared->window_begin + group->lag - 1);
    due = due < group->total ? due : group->total;
    early = early > group->started ? early : group->started;
    return due > early ? due - early : 0;
}

size_t client_group_open_count(const struct client_group *group)
{
    size_t count = 0;
    for (unsigned i = 0; i < group->of->connections; i++) {
        enum connection_state state = group->connections[i].state;
        count += state == CONNECTION_IDLE || state == CONNECTION_BUSY || state == CONNECTION_PARTING;
    }
    return count;
}
