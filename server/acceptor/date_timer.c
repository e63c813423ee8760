/* SPDX-License-Identifier: MIT */
/* A timerfd on the wall clock. */
#include "server/acceptor/date_timer.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"

/* Publishes the date, and sets the timer to the beginning of each following second. */
static int date_timer_set(struct date_timer *timer)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    clock_publish_date(timer->scoreboard, now.tv_sec);
    struct itimerspec seconds = {.it_value = {.tv_sec = now.tv_sec + 1}, .it_interval = {.tv_sec = 1}};
    return timerfd_settime(timer->fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &seconds, NULL) == 0
               ? 0
               : -errno;
}

static void date_timer_on_second(evutil_socket_t fd, short events, void *arg)
{
    struct date_timer *timer = arg;
    (void)events;
    uint64_t expirations;
    if (read(fd, &expirations, sizeof(expirations)) > 0) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now); /* time() is a tick behind */
        clock_publish_date(timer->scoreboard, now.tv_sec);
        timer->on_second(timer->arg);
    } else if (errno == ECANCELED) {
        date_timer_set(timer); /* the clock was set */
    }
}

int date_timer_init(struct date_timer *timer, struct event_base *base, struct scoreboard *scoreboard,
                    void (*on_second)(void *arg), void *arg)
{
    timer->scoreboard = scoreboard;
    timer->on_second = on_second;
    timer->arg = arg;
    timer->fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (timer->fd < 0) {
        return -errno;
    }
    int error = date_timer_set(timer);
    if (error == 0) {
        event_assign(&timer->event, base, timer->fd, EV_READ | EV_PERSIST, date_timer_on_second, timer);
        error = event_add(&timer->event, NULL) == 0 ? 0 : -ENOMEM;
    }
    if (error != 0) {
        close(timer->fd);
    }
    return error;
}

void date_timer_deinit(struct date_timer *timer)
{
    event_del(&timer->event);
    close(timer->fd);
}
