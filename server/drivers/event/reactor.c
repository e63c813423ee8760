/* SPDX-License-Identifier: MIT */
/* A reactor's memory, its connections and its sweeps. */
#include "server/drivers/event/reactor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "server/drivers/event/connection.h"
#include "server/net/warn.h"
#include "server/drivers/shared/shortage.h"

/* A sixteenth of the shortest timeout, and not so often that an idle server works, nor so seldom that it is rude. */
enum { REACTOR_SWEEPS = 16, REACTOR_SWEEP_MIN = 10, REACTOR_SWEEP_MAX = 500 };
/* How often a connection that waits or works is looked at, whether its client has reset it. */
enum { REACTOR_LOOK_MS = 400 };
/* So many failures of epoll_wait within that time are not one that passes. */
enum { REACTOR_FAILURES_MAX = 1000, REACTOR_FAILING_MS = 1000 };

/* Without EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST: libevent would tell epoll of a removal in the base's next iteration,
 * when the descriptor is closed and its number may be another thread's. What the flag saves is a call where a connection
 * begins to wait for room to write; a request in the steady state makes none either way. */
struct event_base *reactor_base_new(void)
{
    struct event_config *config = event_config_new();
    if (config == NULL) {
        return NULL;
    }
    struct event_base *base = NULL;
    if (event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_NO_CACHE_TIME) == 0) {
        base = event_base_new_with_config(config);
    }
    event_config_free(config);
    return base;
}

void reactor_base_run(struct event_base *base)
{
    uint64_t begin = 0;
    unsigned failures = 0;
    while (event_base_dispatch(base) < 0) {
        int error = errno;
        uint64_t now = clock_ms();
        if (now - begin > REACTOR_FAILING_MS) {
            begin = now;
            failures = 0;
        }
        if (++failures == REACTOR_FAILURES_MAX) {
            warn("cannot continue: epoll_wait: %s", strerror(error));
            _exit(EXIT_FAILURE);
        }
    }
}

static void reactor_set_sweeping(struct reactor *reactor, bool sweeping)
{
    if (sweeping == reactor->sweeping) {
        return;
    }
    if (sweeping) {
        reactor->swept = clock_coarse_ms();
    }
    unsigned sweep_interval = sweeping ? reactor->sweep_interval : 0;
    struct timespec time = {.tv_sec = sweep_interval / 1000,
                            .tv_nsec = (long)(sweep_interval % 1000) * 1000000};
    timerfd_settime(reactor->sweep_timer, 0, &(struct itimerspec){.it_value = time, .it_interval = time},
                    NULL);
    reactor->sweeping = sweeping;
}

/* ---- the lists ---- */

/* What the acceptor sees of those that linger. */
static void reactor_publish_lingering(const struct reactor *reactor)
{
    const struct connection *oldest = TAILQ_FIRST(&reactor->lists[REACTOR_LINGERING]);
    atomic_store_explicit(&reactor->context.output.budget.counters->lingering_since_ms,
                          oldest == NULL ? 0 : oldest->lingering.began, memory_order_relaxed);
}

static void reactor_link(struct connection *connection, enum reactor_list list)
{
    static const struct timeval place_poll = {.tv_usec = LINGER_POLL_INTERVAL_MS * 1000L};
    struct reactor *reactor = connection->reactor;
    connection->list = (uint8_t)list;
    TAILQ_INSERT_TAIL(&reactor->lists[list], connection, others);
    if (list != REACTOR_LINGERING) {
        return;
    }
    connection_count_linger_begin(reactor->connections, connection->session.refusing == REFUSAL_NOT);
    if (reactor->lingering++ == 0) {
        event_add(&reactor->place_poll, &place_poll);
        reactor_publish_lingering(reactor);
    }
}

static void reactor_unlink(struct connection *connection)
{
    struct reactor *reactor = connection->reactor;
    TAILQ_REMOVE(&reactor->lists[connection->list], connection, others);
    if (connection->list == REACTOR_LINGERING) {
        connection_count_linger_end(reactor->connections, connection->session.refusing == REFUSAL_NOT);
        reactor->lingering--;
        reactor_publish_lingering(reactor);
    }
}

void reactor_move(struct connection *connection, enum reactor_list list)
{
    reactor_unlink(connection);
    reactor_link(connection, list);
}

void reactor_insert(struct reactor *reactor, struct connection *connection)
{
    reactor_link(connection, REACTOR_RESTARTED);
    reactor->count++;
}

void reactor_remove(struct connection *connection)
{
    reactor_unlink(connection);
    connection->reactor->count--;
}

/* ---- the sweep ---- */

/* Those whose timer began anew since the sweep before: from now on it runs. */
static void reactor_start_timers(struct reactor *reactor, uint64_t now)
{
    struct connection *connection;
    while ((connection = TAILQ_FIRST(&reactor->lists[REACTOR_RESTARTED])) != NULL) {
        connection->session.timer_restarted = false;
        connection->since = now;
        reactor_move(connection, (enum reactor_list)connection->session.timer);
    }
}

/* Those of a list that were last looked at `limit` before `then`. */
static void reactor_judge(struct reactor *reactor, enum timer timer, uint64_t limit, uint64_t then,
                          uint64_t now)
{
    struct connection *connection;
    while (limit != 0 && (connection = TAILQ_FIRST(&reactor->lists[timer])) != NULL &&
           then >= connection->since + limit) {
        connection->since = now;
        reactor_move(connection, (enum reactor_list)timer);
        connection_due(connection);
    }
}

static void reactor_sweep(evutil_socket_t fd, short events, void *arg)
{
    struct reactor *reactor = arg;
    (void)events;
    uint64_t expirations;
    if (read(fd, &expirations, sizeof(expirations)) < 0) {
        return;
    }
    uint64_t before = reactor->swept;
    uint64_t now = clock_coarse_ms();
    reactor->swept = now;
    reactor_start_timers(reactor, now);
    reactor_judge(reactor, TIMER_NONE, REACTOR_LOOK_MS, now, now);
    for (enum timer timer = TIMER_IDLE; timer <= TIMER_BODY; timer++) {
        reactor_judge(reactor, timer, reactor->timeouts.limit[timer], before, now);
    }
    access_log_flush(&reactor->context);
    reactor_set_sweeping(reactor, reactor->count > 0 || access_log_has_lines(&reactor->context));
}

/* ---- giving way ---- */

static bool reactor_slot_wanted(const struct reactor *reactor)
{
    return atomic_load_explicit(&reactor->context.output.budget.counters->place_wanted, memory_order_relaxed);
}

/* Cleared last: the acceptor that sets it again meanwhile has one more connection that waits. */
static void reactor_on_place_poll(evutil_socket_t fd, short events, void *arg)
{
    struct reactor *reactor = arg;
    struct connection *oldest = TAILQ_FIRST(&reactor->lists[REACTOR_LINGERING]);
    (void)fd;
    (void)events;
    if (oldest == NULL) {
        event_del(&reactor->place_poll);
    } else if (lingering_may_give_way(&oldest->lingering, clock_ms()) && reactor->place_wanted(reactor)) {
        connection_free(oldest);
    } else {
        return;
    }
    atomic_store_explicit(&reactor->context.output.budget.counters->place_wanted, false,
                          memory_order_relaxed);
}

/* ---- the reactor ---- */

static unsigned reactor_sweep_interval(const struct timeouts *timeouts)
{
    uint64_t sweep_interval = timeouts_least(timeouts) / REACTOR_SWEEPS;
    return sweep_interval < REACTOR_SWEEP_MIN   ? REACTOR_SWEEP_MIN
           : sweep_interval > REACTOR_SWEEP_MAX ? REACTOR_SWEEP_MAX
                                                : (unsigned)sweep_interval;
}

int reactor_init(struct reactor *reactor, struct server *server, struct event_base *base,
                 struct counters *counters, const struct timeouts *timeouts)
{
    *reactor = (struct reactor){
        .server = server,
        .connections = &server->connections,
        .base = base,
        .timeouts = *timeouts,
        .input = malloc(REACTOR_INPUT_SIZE),
        .scratch = malloc(SESSION_SCRATCH_MIN),
        .log_text = server->log->path != NULL ? malloc(ACCESS_LOG_LOOP_SIZE) : NULL,
        .sweep_timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC),
        .sweep_interval = reactor_sweep_interval(timeouts),
        .linger_ms = LINGER_WHOLE_MS,
        .place_wanted = reactor_slot_wanted,
    };
    int error = reactor->sweep_timer < 0 ? -errno : -ENOMEM;
    for (int i = 0; i < REACTOR_LISTS; i++) {
        TAILQ_INIT(&reactor->lists[i]);
    }
    event_assign(&reactor->place_poll, base, -1, EV_PERSIST, reactor_on_place_poll, reactor);
    context_init(&reactor->context, &server->service, counters, reactor->scratch, SESSION_SCRATCH_MIN);
    access_log_lend(server->log, &reactor->log, &reactor->context, reactor->log_text, ACCESS_LOG_LOOP_SIZE);
    if (reactor->sweep_timer >= 0 && reactor->input != NULL && reactor->scratch != NULL &&
        (reactor->log_text != NULL || reactor->context.log == NULL)) {
        event_assign(&reactor->sweep_event, base, reactor->sweep_timer, EV_READ | EV_PERSIST, reactor_sweep,
                     reactor);
        error = event_add(&reactor->sweep_event, NULL) != 0 ? -ENOMEM : refuser_init(reactor);
        if (error == 0) {
            return 0;
        }
        event_del(&reactor->sweep_event);
    }
    if (reactor->sweep_timer >= 0) {
        close(reactor->sweep_timer);
    }
    free(reactor->input);
    free(reactor->scratch);
    free(reactor->log_text);
    return error;
}

static void reactor_on_completions(evutil_socket_t fd, short events, void *arg)
{
    struct reactor *reactor = arg;
    struct work_list done;
    struct work *work;
    (void)fd;
    (void)events;
    completions_take(&reactor->completions, &done);
    while ((work = STAILQ_FIRST(&done)) != NULL) {
        STAILQ_REMOVE_HEAD(&done, next);
        connection_work_done(work->owner);
    }
}

int reactor_employ(struct reactor *reactor, struct workers *workers)
{
    int error = completions_init(&reactor->completions);
    if (error != 0) {
        return error;
    }
    event_assign(&reactor->completions_event, reactor->base, reactor->completions.wakeup,
                 EV_READ | EV_PERSIST, reactor_on_completions, reactor);
    if (event_add(&reactor->completions_event, NULL) != 0) {
        completions_deinit(&reactor->completions);
        return -ENOMEM;
    }
    reactor->workers = workers;
    return 0;
}

void reactor_deinit(struct reactor *reactor)
{
    for (int i = 0; i < REACTOR_LISTS; i++) {
        while (!TAILQ_EMPTY(&reactor->lists[i])) {
            connection_free(TAILQ_FIRST(&reactor->lists[i]));
        }
    }
    event_del(&reactor->place_poll);
    if (reactor->workers != NULL) {
        event_del(&reactor->completions_event);
        completions_deinit(&reactor->completions);
    }
    refuser_deinit(reactor);
    event_del(&reactor->sweep_event);
    close(reactor->sweep_timer);
    access_log_end(&reactor->context, ACCESS_LOG_LOOP_WAIT_MS);
    free(reactor->input);
    free(reactor->scratch);
    free(reactor->log_text);
}

bool reactor_add(struct reactor *reactor, const struct accepted *accepted, enum refusal refusing)
{
    counters_add(&reactor->context.output.budget.counters->connections, 1);
    struct connection *connection = connection_new(reactor, accepted, refusing);
    if (refusing != REFUSAL_NOT || connection == NULL) {
        connection_count_refuse(reactor->connections);
    }
    if (connection == NULL) {
        refuser_refuse(reactor, accepted, refusing == REFUSAL_NOT ? REFUSAL_SYSTEM : refusing);
        shortage_begin(reactor->server, ENOMEM);
        return false;
    }
    reactor_set_sweeping(reactor, true);
    if (reactor->draining) {
        connection_drain(connection);
    }
    return true;
}

void reactor_linger(struct reactor *reactor, const struct accepted *accepted)
{
    struct connection *connection = connection_new(reactor, accepted, REFUSAL_NOT);
    if (connection == NULL) {
        refuser_linger(reactor, accepted);
    } else {
        connection_linger(connection);
    }
}

/* The one that came first of those that have asked for nothing; NULL: there is none. */
static struct connection *reactor_find_silent(const struct reactor *reactor)
{
    struct connection *silent = NULL;
    for (int i = 0; i < REACTOR_LISTS; i++) {
        struct connection *connection;
        TAILQ_FOREACH(connection, &reactor->lists[i], others)
        {
            if (i != REACTOR_LINGERING && session_unasked(&connection->session) &&
                (silent == NULL || connection->session.number < silent->session.number)) {
                silent = connection;
            }
        }
    }
    return silent;
}

void reactor_make_room(struct reactor *reactor)
{
    struct connection *silent = reactor_find_silent(reactor);
    struct connection *lingers = TAILQ_FIRST(&reactor->lists[REACTOR_LINGERING]);
    if (lingers != NULL && lingering_may_give_way(&lingers->lingering, clock_ms())) {
        connection_free(lingers);
    }
    if (silent != NULL) {
        connection_tell(silent);
    }
}

/* What connection_new needs: memory, and room in epoll for a descriptor that it does not watch yet. */
int reactor_probe(struct reactor *reactor)
{
    struct connection *connection = malloc(sizeof(*connection));
    int fd = eventfd(0, EFD_CLOEXEC);
    int error = connection == NULL ? -ENOMEM : fd < 0 ? -errno : 0;
    if (error == 0) {
        event_assign(&connection->event, reactor->base, fd, EV_READ, reactor_sweep, reactor);
        error = event_add(&connection->event, NULL) == 0 ? 0 : -ENOMEM;
        event_del(&connection->event);
    }
    if (fd >= 0) {
        close(fd);
    }
    free(connection);
    return error;
}

static void reactor_drain_list(struct reactor *reactor, enum reactor_list list)
{
    bool cutting = scoreboard_cutting(reactor->context.service->scoreboard);
    struct connection *connection = TAILQ_FIRST(&reactor->lists[list]);
    while (connection != NULL) {
        struct connection *next = TAILQ_NEXT(connection, others);
        if (cutting) {
            connection_cut_off(connection);
        } else {
            connection_drain(connection);
        }
        connection = next;
    }
}

static void reactor_cut_off(struct reactor *reactor)
{
    for (int list = 0; list < REACTOR_LISTS; list++) {
        reactor_drain_list(reactor, (enum reactor_list)list);
    }
    refuser_end(reactor);
}

void reactor_drain(struct reactor *reactor)
{
    reactor->draining = true;
    if (scoreboard_cutting(reactor->context.service->scoreboard)) {
        reactor_cut_off(reactor);
    } else { /* those that are idle are in one of the two */
        reactor_drain_list(reactor, (enum reactor_list)TIMER_IDLE);
        reactor_drain_list(reactor, REACTOR_RESTARTED);
    }
    access_log_flush(&reactor->context);
}

static enum activity connection_activity(const struct connection *connection)
{
    const struct session *session = &connection->session;
    if (connection->list == REACTOR_LINGERING) {
        return ACTIVITY_LINGERING;
    }
    if (connection->working) {
        return ACTIVITY_WORKING;
    }
    switch ((enum timer)session->timer) {
    case TIMER_NONE: return connection->timed ? ACTIVITY_WAITING : ACTIVITY_WORKING;
    case TIMER_IDLE: return ACTIVITY_IDLE;
    case TIMER_HEADER: return ACTIVITY_READING;
    case TIMER_BODY: return session->out_committed > 0 ? ACTIVITY_SENDING : ACTIVITY_READING;
    }
    __builtin_unreachable();
}

void reactor_report(const struct reactor *reactor, struct report *report)
{
    const struct connection *connection;
    for (int i = 0; i < REACTOR_LISTS; i++) {
        TAILQ_FOREACH(connection, &reactor->lists[i], others)
        {
            report_add(report, connection_activity(connection), 1);
        }
    }
    report_add(report, ACTIVITY_LINGERING, reactor->refuser.count);
}
