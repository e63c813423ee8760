/* SPDX-License-Identifier: MIT */
/* Every connection is in one of three lists; what happens to it moves it. */
#include "loadtest/swarm/crowd.h"

#include <stdlib.h>

#include "loadtest/swarm/instant.h"

#define REST \
    (50 *    \
     INSTANT_MILLISECOND) /* of a closed class's connection that failed: else a dead server is a busy loop */

static struct crowd *crowd_of(const struct connection *connection)
{
    return connection->plan->owner;
}

static void crowd_move(struct connection *connection, struct connection_list *list, uint64_t now)
{
    if (connection->list != NULL) {
        TAILQ_REMOVE(connection->list, connection, others);
    }
    connection->list = list;
    connection->since = now;
    TAILQ_INSERT_TAIL(list, connection, others);
}

static void crowd_check_end(const struct crowd *crowd)
{
    if (crowd->asking == 0) {
        event_active(crowd->stage->check, EV_TIMEOUT, 0);
    }
}

/* Whether a request that was due then counts. A rate that began a little later has its window as much later. */
static bool crowd_counts(const struct crowd *crowd, uint64_t due)
{
    return stage_in_window(crowd->stage, due - crowd->lag);
}

static void crowd_note_offered(struct crowd *crowd, uint64_t now)
{
    if (stage_in_window(crowd->stage, now)) {
        crowd->tally.offered++;
        series_offered(&crowd->series, now - crowd->stage->window_begin);
    }
}

/* What ends in the window, whenever it was due. */
static void crowd_note_settled(struct crowd *crowd, const struct settled *settled)
{
    if (stage_in_window(crowd->stage, settled->now)) {
        crowd->tally.came += outcome_is_right(settled->outcome);
        crowd->tally.good += settled->outcome == OUTCOME_RIGHT;
        series_settled(&crowd->series, settled, settled->now - crowd->stage->window_begin);
    }
}

static void crowd_ask(struct connection *connection, uint64_t due, uint64_t now)
{
    struct crowd *crowd = crowd_of(connection);
    crowd_move(connection, &crowd->flight, now);
    crowd->asking++;
    if (crowd->stage->phase != STAGE_OPENING) {
        crowd->started++;
        crowd->first_begun = crowd->first_begun != 0 ? crowd->first_begun : now;
        if (crowd_counts(crowd, due)) {
            tally_begin(&crowd->tally, due, crowd->of->rate != 0 ? connection->free_since : 0, now);
        }
        crowd_note_offered(crowd, now);
    }
    connection_ask(connection, due);
}

static void crowd_await_due(struct crowd *crowd, uint64_t now)
{
    if (crowd->awaited == crowd->started) {
        return;
    }
    uint64_t due = schedule_due(&crowd->schedule, crowd->started);
    struct timeval delay = instant_timeval(due > now ? due - now : 0);
    crowd->awaited = crowd->started;
    event_add(crowd->due, &delay);
}

/* Rate model: as many requests as are due go to connections that are free. */
static void crowd_serve_due(struct crowd *crowd)
{
    uint64_t now = instant_now();
    uint64_t due = schedule_count(&crowd->schedule, now);
    struct connection *connection;
    while (crowd->started < due && crowd->started < crowd->total &&
           (connection = TAILQ_FIRST(&crowd->free)) != NULL) {
        crowd_ask(connection, schedule_due(&crowd->schedule, crowd->started), now);
    }
    if (crowd->started < crowd->total && !TAILQ_EMPTY(&crowd->free)) {
        crowd_await_due(crowd, instant_now());
    }
}

static void on_due(evutil_socket_t fd, short events, void *context)
{
    struct crowd *crowd = context;
    (void)fd;
    (void)events;
    crowd->awaited = UINT64_MAX;
    crowd_serve_due(crowd);
}

/* Closed model: whether this connection may ask once more. */
static bool crowd_may_ask(const struct crowd *crowd, const struct connection *connection)
{
    const struct options_class *of = crowd->of;
    return crowd->stage->phase == STAGE_LOAD && (of->requests == 0 || crowd->started < of->requests) &&
           (of->each == 0 || connection->asked < of->each);
}

static void crowd_next(struct connection *connection, uint64_t now)
{
    struct crowd *crowd = crowd_of(connection);
    if (!crowd_may_ask(crowd, connection)) {
        crowd->spent += crowd->of->each != 0 && connection->asked == crowd->of->each;
        crowd_move(connection, &crowd->free, now);
    } else if (connection->unlucky) {
        connection->unlucky = false;
        crowd_move(connection, &crowd->resting, now);
        connection_rest(connection, REST);
    } else {
        crowd_ask(connection, now, now);
    }
}

static void on_ready(struct connection *connection)
{
    struct crowd *crowd = crowd_of(connection);
    uint64_t now = instant_now();
    connection->free_since = now;
    if (crowd->stage->phase < STAGE_LOAD || crowd->of->hold) {
        crowd_move(connection, &crowd->free, now);
    } else if (crowd->of->rate != 0) {
        crowd_move(connection, &crowd->free, now);
        crowd_serve_due(crowd);
    } else {
        crowd_next(connection, now);
    }
    crowd_check_end(crowd);
}

static void crowd_greeted(struct crowd *crowd, struct connection *connection, const struct settled *settled)
{
    connection->asked = 0;
    crowd->stage->opening--;
    if (outcome_is_right(settled->outcome)) {
        crowd->greeted.answered++;
    } else if (settled->outcome == OUTCOME_REFUSED) {
        crowd->greeted.refused++;
    } else {
        crowd->greeted.failed++;
        tally_note(&crowd->tally, settled->outcome, settled->why);
    }
}

static void on_settled(struct connection *connection, const struct settled *settled)
{
    struct crowd *crowd = crowd_of(connection);
    struct tally *tally = &crowd->tally;
    crowd->asking--;
    connection->unlucky = !outcome_is_answer(settled->outcome);
    crowd_move(connection, &crowd->flight, settled->now); /* its parting has the whole timeout, too */
    if (crowd->stage->phase == STAGE_OPENING) {
        crowd_greeted(crowd, connection, settled);
    } else {
        if (crowd_counts(crowd, settled->due)) {
            tally_settle(tally, settled);
        }
        crowd_note_settled(crowd, settled);
        if (outcome_is_answer(settled->outcome)) {
            crowd->last_answer = settled->now;
        }
    }
    crowd_check_end(crowd);
}

static void on_opened(struct connection *connection, const char *why)
{
    struct crowd *crowd = crowd_of(connection);
    if (crowd->stage->phase != STAGE_OPENING) {
        crowd->count.reopened++;
        return;
    }
    uint64_t now = instant_now();
    if (why != NULL) {
        crowd->count.failed++;
        tally_note(&crowd->tally, OUTCOME_CONNECT, why);
    } else {
        crowd->count.opened++;
        connection->free_since = now;
        if (crowd->of->greet) {
            crowd_ask(connection, now, now);
            return;
        }
    }
    crowd->stage->opening--;
    crowd_move(connection, &crowd->free, now);
    crowd_check_end(crowd);
}

static void on_lost(struct connection *connection)
{
    crowd_of(connection)->count.closed++;
}

static void on_moved(struct connection *connection, size_t sent, size_t received)
{
    struct crowd *crowd = crowd_of(connection);
    if (crowd->stage->counting) {
        crowd->tally.bytes_sent += sent;
        crowd->tally.bytes_received += received;
    }
}

static const struct connection_events EVENTS = {
    .opened = on_opened,
    .settled = on_settled,
    .ready = on_ready,
    .lost = on_lost,
    .moved = on_moved,
};

bool crowd_init(struct crowd *crowd, struct stage *stage, const struct options_class *of, size_t first)
{
    crowd->stage = stage;
    crowd->of = of;
    crowd->connections = calloc(of->connections, sizeof(*crowd->connections));
    crowd->due = event_new(stage->base, -1, 0, on_due, crowd);
    if (crowd->connections == NULL || crowd->due == NULL ||
        !request_build(&crowd->request, stage->options, of) ||
        !series_init(&crowd->series, stage->options->interval_ms * INSTANT_MILLISECOND,
                     stage->options->duration_ms * INSTANT_MILLISECOND)) {
        return false;
    }
    crowd->plan = (struct plan){.base = stage->base,
                                .options = stage->options,
                                .of = of,
                                .request = &crowd->request,
                                .events = &EVENTS,
                                .owner = crowd,
                                .input = stage->input,
                                .input_size = sizeof(stage->input)};
    TAILQ_INIT(&crowd->free);
    TAILQ_INIT(&crowd->flight);
    TAILQ_INIT(&crowd->resting);
    for (unsigned i = 0; i < of->connections; i++) {
        connection_init(&crowd->connections[i], &crowd->plan, first + i);
        crowd_move(&crowd->connections[i], &crowd->free, 0);
    }
    crowd->count.asked = of->close ? 0 : of->connections;
    return true;
}

void crowd_deinit(struct crowd *crowd)
{
    for (unsigned i = 0; crowd->plan.owner != NULL && i < crowd->of->connections; i++) {
        connection_deinit(&crowd->connections[i]);
    }
    if (crowd->due != NULL) {
        event_free(crowd->due);
    }
    request_free(&crowd->request);
    series_deinit(&crowd->series);
    free(crowd->connections);
}

bool crowd_open_next(struct crowd *crowd)
{
    if (crowd->begun == crowd->count.asked) {
        return false;
    }
    struct connection *connection = &crowd->connections[crowd->begun++];
    crowd->stage->opening++;
    crowd_move(connection, &crowd->flight, instant_now());
    connection_open(connection);
    return true;
}

static void crowd_start_rate(struct crowd *crowd, uint64_t now)
{
    uint64_t end = crowd->stage->window_end;
    crowd->schedule = (struct schedule){.start = now, .rate = crowd->of->rate};
    crowd->awaited = UINT64_MAX;
    crowd->lag = now - crowd->stage->load_begin;
    crowd->total = end == INSTANT_NEVER ? UINT64_MAX : schedule_count(&crowd->schedule, end + crowd->lag - 1);
    if (crowd->of->requests != 0 && crowd->of->requests < crowd->total) {
        crowd->total = crowd->of->requests;
    }
    for (unsigned i = 0; i < crowd->of->connections; i++) {
        crowd->connections[i].free_since = 0;
    }
    crowd_serve_due(crowd);
}

void crowd_start(struct crowd *crowd, uint64_t now)
{
    if (crowd->of->rate != 0) {
        crowd_start_rate(crowd, now);
        return;
    }
    for (unsigned i = 0; !crowd->of->hold && i < crowd->of->connections; i++) {
        if (crowd->connections[i].list == &crowd->free) {
            crowd_next(&crowd->connections[i], instant_now());
        }
    }
}

void crowd_time_out(struct crowd *crowd, uint64_t now)
{
    uint64_t timeout = crowd->of->timeout_ms * INSTANT_MILLISECOND;
    struct connection *connection;
    while ((connection = TAILQ_FIRST(&crowd->flight)) != NULL && connection->since + timeout <= now) {
        connection_time_out(connection);
    }
}

static bool crowd_asked_all(const struct crowd *crowd)
{
    const struct options_class *of = crowd->of;
    bool grace = crowd->stage->phase == STAGE_GRACE;
    if (of->rate != 0) {
        return crowd->started == crowd->total && (grace || of->requests != 0);
    }
    return of->hold || grace || (of->requests != 0 && crowd->started >= of->requests) ||
           (of->each != 0 && crowd->spent == of->connections);
}

bool crowd_done(const struct crowd *crowd)
{
    bool trickles = crowd->of->trickle_send.bytes != 0 || crowd->of->trickle_read.bytes != 0;
    return (trickles && crowd->stage->phase == STAGE_GRACE) || (crowd->asking == 0 && crowd_asked_all(crowd));
}

uint64_t crowd_unsent(const struct crowd *crowd, uint64_t now)
{
    if (crowd->of->rate == 0 || crowd->schedule.rate == 0) {
        return 0;
    }
    uint64_t due = schedule_count(&crowd->schedule, now);
    uint64_t early = schedule_count(&crowd->schedule, crowd->stage->window_begin + crowd->lag - 1);
    due = due < crowd->total ? due : crowd->total;
    early = early > crowd->started ? early : crowd->started;
    return due > early ? due - early : 0;
}

size_t crowd_open_count(const struct crowd *crowd)
{
    size_t count = 0;
    for (unsigned i = 0; i < crowd->of->connections; i++) {
        enum connection_state state = crowd->connections[i].state;
        count += state == CONNECTION_IDLE || state == CONNECTION_BUSY || state == CONNECTION_PARTING;
    }
    return count;
}
