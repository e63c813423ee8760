/* SPDX-License-Identifier: MIT */
/* The part of a loop's fibers that each of them uses. */
#ifndef ECHOD_SERVER_DRIVERS_FIBER_FIBERS_CORE_H
#define ECHOD_SERVER_DRIVERS_FIBER_FIBERS_CORE_H

#include <event2/event_struct.h>
#include <sys/queue.h>

#include "server/drivers/event/reactor.h"
#include "server/drivers/fiber/stacks.h"

/* Between two ticks. A fiber that has not run from one tick to the next is quiet: it gives back the pages of its stack
 * that it does not use meanwhile, and a timer begins to run for it. So a request sets no timer and reads no clock. */
enum { FIBERS_TICK_MS = 100 };

TAILQ_HEAD(fiber_list, fiber_connection);

struct fibers {
    struct server *server;
    struct reactor *reactor;
    struct stacks stacks;
    struct fiber_list all;
    struct fiber_list lively; /* those that are not quiet */
    struct fiber_list idle;   /* the quiet ones between two requests, by deadline_us */
    int timer; /* a timerfd: libevent's timers cost each turn of the loop two hundred instructions */
    bool ticking;
    struct event timer_event;
};

/* The loop's thread. */

/* Sets the timer: after `delay_ms` milliseconds (0: never), and then every `interval_ms` (0: not again). */
void fibers_set_timer(const struct fibers *fibers, uint64_t delay_ms, uint64_t interval_ms);
/* Starts the ticks, for a fiber that is lively from now on. */
void fibers_tick(struct fibers *fibers);

#endif
