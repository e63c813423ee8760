/* SPDX-License-Identifier: MIT */
/* A timerfd, and the heads of the lists. */
#include "server/drivers/event/sweeper.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "server/drivers/event/connection.h"
#include "server/drivers/shared/access_log.h"

/* The interval at which the sweeper checks whether the client of a connection that waits or works has reset it. */
enum { SWEEPER_LOOK_MS = 400 };

static void sweeper_set_running(struct sweeper *sweeper, bool running)
{
    if (running == sweeper->running) {
        return;
    }
    if (running) {
        sweeper->swept_ms = clock_coarse_ms();
    }
    unsigned interval_ms = running ? sweeper->interval_ms : 0;
    struct timespec time = {.tv_sec = interval_ms / 1000, .tv_nsec = (long)(interval_ms % 1000) * 1000000};
    timerfd_settime(sweeper->timer, 0, &(struct itimerspec){.it_value = time, .it_interval = time}, NULL);
    sweeper->running = running;
}

/* Moves the connections whose timer has restarted since the previous sweep to the list of that timer. The timer runs
 * from now on. */
static void sweeper_start_timers(struct sweeper *sweeper, uint64_t now)
{
    struct connection *connection;
    while ((connection = TAILQ_FIRST(&sweeper->core->lists[REACTOR_RESTARTED])) != NULL) {
        session_timer_take(&connection->session);
        connection->since = now;
        connection_move(connection, (enum reactor_list)connection->session.timer);
    }
}

/* Calls connection_due for the connections of a list whose `since` is at least `limit` before `then`. */
static void sweeper_judge(struct sweeper *sweeper, enum timer timer, uint64_t limit, uint64_t then,
                          uint64_t now)
{
    struct connection *connection;
    while (limit != 0 && (connection = TAILQ_FIRST(&sweeper->core->lists[timer])) != NULL &&
           then >= connection->since + limit) {
        connection->since = now;
        connection_move(connection, (enum reactor_list)timer);
        connection_due(connection);
    }
}

static void sweeper_on_timer(evutil_socket_t fd, short events, void *arg)
{
    struct sweeper *sweeper = arg;
    struct reactor_core *core = sweeper->core;
    (void)events;
    uint64_t expirations;
    if (read(fd, &expirations, sizeof(expirations)) < 0) {
        return;
    }
    TRACE(sweep_begin, UINT64_C(0), (uint64_t)core->count);
    uint64_t before = sweeper->swept_ms;
    uint64_t now = clock_coarse_ms();
    sweeper->swept_ms = now;
    sweeper_start_timers(sweeper, now);
    sweeper_judge(sweeper, TIMER_NONE, SWEEPER_LOOK_MS, now, now);
    for (enum timer timer = TIMER_IDLE; timer <= TIMER_BODY; timer++) {
        sweeper_judge(sweeper, timer, sweeper->timeouts.limit[timer], before, now);
    }
    access_log_flush(&core->context);
    TRACE(sweep_end, UINT64_C(0), (uint64_t)core->count);
    sweeper_set_running(sweeper, core->count > 0 || access_log_has_lines(&core->context));
}

int sweeper_init(struct sweeper *sweeper, struct reactor_core *core, const struct timeouts *timeouts)
{
    *sweeper = (struct sweeper){
        .core = core,
        .timeouts = *timeouts,
        .timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC),
        .interval_ms = timeouts_sweep_interval(timeouts),
    };
    if (sweeper->timer < 0) {
        return -errno;
    }
    event_assign(&sweeper->event, core->base, sweeper->timer, EV_READ | EV_PERSIST, sweeper_on_timer,
                 sweeper);
    if (event_add(&sweeper->event, NULL) != 0) {
        close(sweeper->timer);
        return -ENOMEM;
    }
    return 0;
}

void sweeper_deinit(struct sweeper *sweeper)
{
    event_del(&sweeper->event);
    close(sweeper->timer);
}

void sweeper_start(struct sweeper *sweeper)
{
    sweeper_set_running(sweeper, true);
}
