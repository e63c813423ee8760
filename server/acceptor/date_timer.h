/* SPDX-License-Identifier: MIT */
/* Publishes the date to all threads and processes, once at each second's start. */
#ifndef ECHOD_SERVER_ACCEPTOR_DATE_TIMER_H
#define ECHOD_SERVER_ACCEPTOR_DATE_TIMER_H

#include <event2/event.h>
#include <event2/event_struct.h>

#include "common/base/scoreboard.h"

struct date_timer {
    struct scoreboard *scoreboard;
    int fd; /* a timerfd */
    struct event event;
};

/* Publishes the date now, and from then on while the base runs, also after the clock was set. 0 or a negative errno; then
 * there is nothing to undo. */
int date_timer_init(struct date_timer *timer, struct event_base *base, struct scoreboard *scoreboard);
void date_timer_deinit(struct date_timer *timer);

#endif
