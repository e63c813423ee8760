/* SPDX-License-Identifier: MIT */
/* The ticks. */
#include "server/drivers/fiber/fibers_core.h"

#include <sys/timerfd.h>

void fibers_set_timer(const struct fibers *fibers, uint64_t delay_ms, uint64_t interval_ms)
{
    struct itimerspec spec = {
        .it_value = {.tv_sec = (time_t)(delay_ms / 1000), .tv_nsec = (long)(delay_ms % 1000 * 1000000)},
        .it_interval = {.tv_sec = (time_t)(interval_ms / 1000),
                        .tv_nsec = (long)(interval_ms % 1000 * 1000000)},
    };
    timerfd_settime(fibers->timer, 0, &spec, NULL);
}

void fibers_tick(struct fibers *fibers)
{
    fibers->ticking = true;
    fibers_set_timer(fibers, FIBERS_TICK_MS, FIBERS_TICK_MS);
}
