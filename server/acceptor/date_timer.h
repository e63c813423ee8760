/* SPDX-License-Identifier: MIT */
/* Publishes the date to all threads and processes at the beginning of each second, and calls `on_second`. Main thread. */
#ifndef ECHOD_SERVER_ACCEPTOR_DATE_TIMER_H
#define ECHOD_SERVER_ACCEPTOR_DATE_TIMER_H

#include <event2/event.h>
#include <event2/event_struct.h>

#include "common/base/scoreboard.h"

struct date_timer {
    struct scoreboard *scoreboard;
    int fd; /* a timerfd */
    struct event event;
    void (*on_second)(void *arg);
    void *arg;
};

/* Publishes the date now, and then each second while `base` runs; at once if the wall clock is set. Each second, calls
 * `on_second` with `arg` after the date was published. `base` and `scoreboard` must outlive the timer. Returns 0 or a
 * negative errno; after an error there is nothing to undo. */
int date_timer_init(struct date_timer *timer, struct event_base *base, struct scoreboard *scoreboard,
                    void (*on_second)(void *arg), void *arg);
/* Stops the timer and closes its descriptor. */
void date_timer_deinit(struct date_timer *timer);

#endif
