/* SPDX-License-Identifier: MIT */
/* A reactor's memory, its connections and its sweeps. */
#include "server/reactor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "common/clock.h"
#include "server/connection.h"
#include "server/say.h"
#include "server/shortage.h"

/* A sixteenth of the shortest timeout, and not so often that an idle server works, nor so seldom that it is rude. */
enum { REACTOR_TICKS = 16, REACTOR_TICK_LEAST = 10, REACTOR_TICK_MOST = 500 };
/* While a connection lingers. */
enum { REACTOR_TICK_HASTY = 50 };
/* So many failures of epoll_wait within that time are not one that passes. */
enum { REACTOR_FAILURES_MOST = 1000, REACTOR_FAILING_MS = 1000 };

/* Without EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST: libevent would tell epoll of a removal at the base's next turn, when the
 * descriptor is closed and its number may be another thread's. What the flag saves is a call where a connection begins to
 * wait for room to write; a request in the steady state makes none either way. */
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
        if (++failures == REACTOR_FAILURES_MOST) {
            say("cannot go on: epoll_wait: %s", strerror(error));
            _exit(EXIT_FAILURE);
        }
    }
}

/* Sweeps come every `pace` ms from now on; 0: no more. */
static void reactor_set_pace(struct reactor *reactor, unsigned pace)
{
    if (pace == reactor->pace) {
        return;
    }
    if (reactor->pace == 0) {
        reactor->swept = clock_coarse_ms();
    }
    struct timespec time = {.tv_sec = pace / 1000, .tv_nsec = (long)(pace % 1000) * 1000000};
    timerfd_settime(reactor->sweep_timer, 0, &(struct itimerspec){.it_value = time, .it_interval = time},
                    NULL);
    reactor->pace = pace;
}

static unsigned reactor_hasty(const struct reactor *reactor)
{
    return reactor->tick < REACTOR_TICK_HASTY ? reactor->tick : REACTOR_TICK_HASTY;
}

void reactor_hasten(struct reactor *reactor)
{
    reactor_set_pace(reactor, reactor_hasty(reactor));
}

static void reactor_sweep(evutil_socket_t fd, short events, void *context)
{
    struct reactor *reactor = context;
    (void)events;
    uint64_t expirations;
    if (read(fd, &expirations, sizeof(expirations)) < 0) {
        return;
    }
    uint64_t before = reactor->swept;
    uint64_t now = clock_coarse_ms();
    reactor->swept = now;
    bool soon = false;
    struct connection *connection = LIST_FIRST(&reactor->connections);
    while (connection != NULL) {
        struct connection *next = LIST_NEXT(connection, others);
        soon |= connection_check(connection, before, now);
        connection = next;
    }
    access_log_flush(&reactor->lane);
    reactor_set_pace(reactor, reactor->count == 0 && !access_log_pending(&reactor->lane) ? 0
                              : soon ? reactor_hasty(reactor)
                                     : reactor->tick);
}

static unsigned reactor_tick(const struct timeouts *timeouts)
{
    uint64_t tick = timeouts_least(timeouts) / REACTOR_TICKS;
    return tick < REACTOR_TICK_LEAST  ? REACTOR_TICK_LEAST
           : tick > REACTOR_TICK_MOST ? REACTOR_TICK_MOST
                                      : (unsigned)tick;
}

int reactor_init(struct reactor *reactor, struct server *server, struct event_base *base, struct slot *slot,
                 const struct timeouts *timeouts)
{
    *reactor = (struct reactor){
        .server = server,
        .gate = &server->gate,
        .base = base,
        .timeouts = *timeouts,
        .input = malloc(REACTOR_INPUT_SIZE),
        .scratch = malloc(SESSION_SCRATCH_LEAST),
        .log_text = server->log->path != NULL ? malloc(ACCESS_LOG_LOOP_SIZE) : NULL,
        .sweep_timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC),
        .tick = reactor_tick(timeouts),
    };
    int error = reactor->sweep_timer < 0 ? -errno : -ENOMEM;
    LIST_INIT(&reactor->connections);
    lane_init(&reactor->lane, &server->service, slot, reactor->scratch, SESSION_SCRATCH_LEAST);
    access_log_lend(server->log, &reactor->log, &reactor->lane, reactor->log_text, ACCESS_LOG_LOOP_SIZE);
    if (reactor->sweep_timer >= 0 && reactor->input != NULL && reactor->scratch != NULL &&
        (reactor->log_text != NULL || reactor->lane.log == NULL)) {
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

static void reactor_on_return(evutil_socket_t fd, short events, void *context)
{
    struct reactor *reactor = context;
    struct job_list back;
    (void)fd;
    (void)events;
    job_returns_take(&reactor->returns, &back);
    while (!STAILQ_EMPTY(&back)) {
        struct job *job = STAILQ_FIRST(&back);
        struct connection *connection = job->owner;
        STAILQ_REMOVE_HEAD(&back, next);
        free(job);
        connection_work_done(connection);
    }
}

int reactor_employ(struct reactor *reactor, struct workers *workers)
{
    int error = job_returns_init(&reactor->returns);
    if (error != 0) {
        return error;
    }
    event_assign(&reactor->returns_event, reactor->base, reactor->returns.bell, EV_READ | EV_PERSIST,
                 reactor_on_return, reactor);
    if (event_add(&reactor->returns_event, NULL) != 0) {
        job_returns_deinit(&reactor->returns);
        return -ENOMEM;
    }
    reactor->workers = workers;
    return 0;
}

void reactor_deinit(struct reactor *reactor)
{
    while (!LIST_EMPTY(&reactor->connections)) {
        connection_free(LIST_FIRST(&reactor->connections));
    }
    if (reactor->workers != NULL) {
        event_del(&reactor->returns_event);
        job_returns_deinit(&reactor->returns);
    }
    refuser_deinit(reactor);
    event_del(&reactor->sweep_event);
    close(reactor->sweep_timer);
    access_log_end(&reactor->lane, ACCESS_LOG_LOOP_WAIT_MS);
    free(reactor->input);
    free(reactor->scratch);
    free(reactor->log_text);
}

bool reactor_add(struct reactor *reactor, const struct arrival *arrival, enum refusal refusing)
{
    slot_add(&reactor->lane.output.budget.slot->connections, 1);
    struct connection *connection = connection_new(reactor, arrival, refusing);
    if (refusing != REFUSAL_NOT || connection == NULL) {
        gate_refuse(reactor->gate);
    }
    if (connection == NULL) {
        refuser_refuse(reactor, arrival, refusing == REFUSAL_NOT ? REFUSAL_SYSTEM : refusing);
        shortage_report(reactor->server, ENOMEM);
        return false;
    }
    if (reactor->pace == 0) {
        reactor_set_pace(reactor, reactor->tick);
    }
    if (reactor->draining) {
        connection_drain(connection);
    }
    return true;
}

void reactor_linger(struct reactor *reactor, const struct arrival *arrival)
{
    struct connection *connection = connection_new(reactor, arrival, REFUSAL_NOT);
    if (connection == NULL) {
        refuser_linger(reactor, arrival);
    } else {
        connection_linger(connection);
    }
}

/* New ones come first in the list: what fits is looked for up to its end. */
void reactor_make_room(struct reactor *reactor)
{
    uint64_t now = clock_coarse_ms();
    struct connection *silent = NULL;
    struct connection *lingers = NULL;
    struct connection *connection;
    LIST_FOREACH(connection, &reactor->connections, others)
    {
        if (!connection->lingers) {
            silent = session_unasked(&connection->session) ? connection : silent;
        } else if (lingers == NULL || connection->lingering.began < lingers->lingering.began) {
            lingers = connection;
        }
    }
    if (lingers != NULL && now - lingers->lingering.began >= LINGER_LEAST_MS) {
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

void reactor_drain(struct reactor *reactor)
{
    reactor->draining = true;
    access_log_flush(&reactor->lane);
    struct connection *connection = LIST_FIRST(&reactor->connections);
    while (connection != NULL) {
        struct connection *next = LIST_NEXT(connection, others);
        connection_drain(connection);
        connection = next;
    }
}
