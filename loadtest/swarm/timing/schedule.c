/* SPDX-License-Identifier: MIT */
/* Integer arithmetic throughout: after hours the due times are still exact. */
#include "loadtest/swarm/timing/schedule.h"

#define SECOND UINT64_C(1000000000)

uint64_t schedule_due(const struct schedule *schedule, uint64_t number)
{
    uint64_t seconds = number / schedule->rate;
    uint64_t rest = number % schedule->rate;
    return schedule->start + seconds * SECOND + rest * SECOND / schedule->rate;
}

/* Request n is due once n < (elapsed + 1) * rate / second; of these n there are as many as that rounded up. */
uint64_t schedule_count(const struct schedule *schedule, uint64_t now)
{
    if (now < schedule->start) {
        return 0;
    }
    uint64_t elapsed = now - schedule->start + 1;
    uint64_t whole = elapsed / SECOND * schedule->rate;
    return whole + (elapsed % SECOND * schedule->rate + SECOND - 1) / SECOND;
}
