/* SPDX-License-Identifier: MIT */
/* When sweeps begin. */

#include "server/drivers/uring/uring_core.h"

#include "common/base/clock.h"

void uring_core_sweep_from_now(struct uring_loop *loop)
{
    if (loop->sweep_at_ms == 0) {
        loop->swept_ms = clock_coarse_ms();
        loop->sweep_at_ms = loop->swept_ms + loop->sweep_interval_ms;
    }
}
