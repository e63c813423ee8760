/* SPDX-License-Identifier: MIT */
#include "server/drivers/uring/uring_core.h"

#include "common/base/clock.h"

void uring_core_sweep_from_now(struct uring_loop *loop)
{
    if (loop->sweep_at_ms == 0) {
        loop->swept_ms = clock_coarse_ms();
        loop->sweep_at_ms = loop->swept_ms + loop->sweep_interval_ms;
    }
}

void uring_core_move(struct uring_connection *c, enum uring_list list)
{
    TAILQ_REMOVE(&c->loop->lists[c->list], c, others);
    c->list = (uint8_t)list;
    TAILQ_INSERT_TAIL(&c->loop->lists[list], c, others);
}

static void queue_in(struct uring_connection *c, struct uring_queue *queue)
{
    if (!c->queued) {
        c->queued = true;
        STAILQ_INSERT_TAIL(queue, c, next);
    }
}

void uring_core_queue(struct uring_connection *c)
{
    queue_in(c, &c->loop->queue);
}

void uring_core_queue_work(struct uring_connection *c)
{
    queue_in(c, &c->loop->works);
}
