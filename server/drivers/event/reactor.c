/* SPDX-License-Identifier: MIT */
/* A reactor's memory, and what is done with all of its connections. */
#include "server/drivers/event/reactor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "server/drivers/event/connection.h"
#include "server/net/warn.h"
#include "server/drivers/shared/shortage.h"

/* If epoll_wait fails this often within this time, the failure is considered permanent. */
enum { REACTOR_FAILURES_MAX = 1000, REACTOR_FAILING_MS = 1000 };

/* Without EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST: libevent would tell epoll of a removal in the base's next iteration,
 * when the descriptor is closed and its number may be another thread's. What the flag saves is a call where a
 * connection begins to wait for room to write; a request in the steady state makes none either way. */
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

/* ---- giving way ---- */

static bool reactor_place_wanted(const struct reactor *reactor)
{
    return atomic_load_explicit(&reactor->core.context.counters->place_wanted, memory_order_relaxed);
}

/* `place_wanted` is cleared last: the acceptor, which repeats its request until the place is free, would otherwise get
 * two places for one waiting connection. If a second connection waits, the acceptor sets the member again later. */
static void reactor_on_place_poll(evutil_socket_t fd, short events, void *arg)
{
    struct reactor *reactor = arg;
    struct connection *oldest = TAILQ_FIRST(&reactor->core.lists[REACTOR_LINGERING]);
    (void)fd;
    (void)events;
    if (oldest == NULL) {
        event_del(&reactor->core.place_poll);
    } else if (lingering_may_give_way(&oldest->lingering, clock_ms()) && reactor->place_wanted(reactor)) {
        connection_free(oldest);
    } else {
        return;
    }
    atomic_store_explicit(&reactor->core.context.counters->place_wanted, false, memory_order_relaxed);
}

/* ---- the reactor ---- */

static void reactor_on_work_done(void *owner)
{
    connection_work_done(owner);
}

static void reactor_free_memory(struct reactor *reactor)
{
    free(reactor->core.input);
    free(reactor->scratch);
    free(reactor->log_text);
}

int reactor_init(struct reactor *reactor, struct server *server, struct event_base *base,
                 struct counters *counters, const struct timeouts *timeouts)
{
    *reactor = (struct reactor){
        .core = {.base = base,
                 .input = malloc(REACTOR_INPUT_SIZE),
                 .connections = &server->connections,
                 .linger_ms = LINGER_WHOLE_MS},
        .server = server,
        .scratch = malloc(SESSION_SCRATCH_MIN),
        .log_text = server->log->path != NULL ? malloc(ACCESS_LOG_LOOP_SIZE) : NULL,
        .place_wanted = reactor_place_wanted,
        .work_done = reactor_on_work_done,
    };
    struct reactor_core *core = &reactor->core;
    for (int i = 0; i < REACTOR_LISTS; i++) {
        TAILQ_INIT(&core->lists[i]);
    }
    event_assign(&core->place_poll, base, -1, EV_PERSIST, reactor_on_place_poll, reactor);
    context_init(&core->context, &server->service, counters, reactor->scratch, SESSION_SCRATCH_MIN);
    access_log_lend(server->log, &reactor->log, &core->context, reactor->log_text, ACCESS_LOG_LOOP_SIZE);
    int error = -ENOMEM;
    if (core->input != NULL && reactor->scratch != NULL &&
        (reactor->log_text != NULL || core->context.log == NULL)) {
        error = sweeper_init(&reactor->sweeper, core, timeouts);
    }
    if (error == 0) {
        error = last_resort_init(&reactor->last_resort, core);
        if (error == 0) {
            return 0;
        }
        sweeper_deinit(&reactor->sweeper);
    }
    reactor_free_memory(reactor);
    return error;
}

static void reactor_on_completions(evutil_socket_t fd, short events, void *arg)
{
    struct reactor *reactor = arg;
    struct work_list done;
    struct work *work;
    (void)fd;
    (void)events;
    completions_take(&reactor->core.completions, &done);
    while ((work = STAILQ_FIRST(&done)) != NULL) {
        STAILQ_REMOVE_HEAD(&done, next);
        reactor->work_done(work->owner);
    }
}

int reactor_employ(struct reactor *reactor, struct workers *workers)
{
    int error = completions_init(&reactor->core.completions);
    if (error != 0) {
        return error;
    }
    event_assign(&reactor->completions_event, reactor->core.base, reactor->core.completions.wakeup.fd,
                 EV_READ | EV_PERSIST, reactor_on_completions, reactor);
    if (event_add(&reactor->completions_event, NULL) != 0) {
        completions_deinit(&reactor->core.completions);
        return -ENOMEM;
    }
    reactor->core.workers = workers;
    return 0;
}

void reactor_deinit(struct reactor *reactor)
{
    for (int i = 0; i < REACTOR_LISTS; i++) {
        while (!TAILQ_EMPTY(&reactor->core.lists[i])) {
            connection_free(TAILQ_FIRST(&reactor->core.lists[i]));
        }
    }
    event_del(&reactor->core.place_poll);
    if (reactor->core.workers != NULL) {
        event_del(&reactor->completions_event);
        completions_deinit(&reactor->core.completions);
    }
    last_resort_deinit(&reactor->last_resort);
    sweeper_deinit(&reactor->sweeper);
    access_log_end(&reactor->core.context, ACCESS_LOG_LOOP_WAIT_MS);
    reactor_free_memory(reactor);
}

void reactor_refuse(struct reactor *reactor, const struct accepted *accepted, enum refusal refusing,
                    int error)
{
    connection_count_refuse(reactor->core.connections);
    last_resort_refuse(&reactor->last_resort, accepted, refusing);
    shortage_begin(reactor->server, error);
}

bool reactor_add(struct reactor *reactor, const struct accepted *accepted, enum refusal refusing)
{
    TRACE(take_over, accepted->number, UINT64_C(0));
    counters_add(&reactor->core.context.counters->connections, 1);
    struct connection *connection = connection_new(&reactor->core, accepted, refusing);
    if (connection == NULL) {
        reactor_refuse(reactor, accepted, refusing == REFUSAL_NOT ? REFUSAL_SYSTEM : refusing, ENOMEM);
        return false;
    }
    if (refusing != REFUSAL_NOT) {
        connection_count_refuse(reactor->core.connections);
    }
    sweeper_start(&reactor->sweeper);
    if (reactor->core.draining) {
        connection_drain(connection);
    }
    return true;
}

void reactor_linger(struct reactor *reactor, const struct accepted *accepted)
{
    struct connection *connection = connection_new(&reactor->core, accepted, REFUSAL_NOT);
    if (connection == NULL) {
        last_resort_linger(&reactor->last_resort, accepted);
    } else {
        connection_linger(connection);
    }
}

/* Returns the oldest connection for which session_unasked is true and which does not linger; NULL if there is none. */
static struct connection *reactor_find_silent(const struct reactor *reactor)
{
    struct connection *silent = NULL;
    for (int i = 0; i < REACTOR_LISTS; i++) {
        struct connection *connection;
        TAILQ_FOREACH(connection, &reactor->core.lists[i], others)
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
    struct connection *lingers = TAILQ_FIRST(&reactor->core.lists[REACTOR_LINGERING]);
    if (lingers != NULL && lingering_may_give_way(&lingers->lingering, clock_ms())) {
        connection_free(lingers);
    }
    if (silent != NULL) {
        connection_tell(silent);
    }
}

void reactor_end_idle(struct reactor *reactor, uint64_t least_ms)
{
    struct connection *idle = TAILQ_FIRST(&reactor->core.lists[TIMER_IDLE]);
    if (idle != NULL && clock_coarse_ms() >= idle->since + least_ms) {
        connection_drain(idle);
    }
}

/* What connection_new needs: memory, and room in epoll for a descriptor that it does not watch yet. */
int reactor_probe(struct reactor *reactor)
{
    struct connection *connection = malloc(sizeof(*connection));
    int fd = eventfd(0, EFD_CLOEXEC);
    int error = connection == NULL ? -ENOMEM : fd < 0 ? -errno : 0;
    if (error == 0) {
        event_assign(&connection->event, reactor->core.base, fd, EV_READ, reactor_on_place_poll, reactor);
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
    bool cutting = scoreboard_cutting(reactor->core.context.service->scoreboard);
    struct connection *connection = TAILQ_FIRST(&reactor->core.lists[list]);
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

static void reactor_drain_lists(struct reactor *reactor)
{
    for (int list = 0; list < REACTOR_LISTS; list++) {
        reactor_drain_list(reactor, (enum reactor_list)list);
    }
}

static void reactor_cut_off(struct reactor *reactor)
{
    reactor_drain_lists(reactor);
    last_resort_end(&reactor->last_resort);
}

void reactor_drain(struct reactor *reactor)
{
    reactor->core.draining = true;
    if (scoreboard_cutting(reactor->core.context.service->scoreboard)) {
        reactor_cut_off(reactor);
    } else {
        reactor_drain_lists(reactor);
    }
    access_log_flush(&reactor->core.context);
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
        TAILQ_FOREACH(connection, &reactor->core.lists[i], others)
        {
            report_add(report, connection_activity(connection), 1);
        }
    }
    report_add(report, ACTIVITY_LINGERING, reactor->last_resort.count);
}
