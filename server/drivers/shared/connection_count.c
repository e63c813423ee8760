/* SPDX-License-Identifier: MIT */
/* A drop changes the count and then reads `watched`; the acceptor sets `watched` and then reads the count. So at
 * least one of them notices the other. */
#include "server/drivers/shared/connection_count.h"

int connection_count_init(struct connection_count *count, _Atomic uint64_t *open, _Atomic uint64_t *lingering)
{
    count->open = open;
    count->refused = 0;
    count->staying = 0;
    count->lingering = lingering;
    count->watched = false;
    return wakeup_init(&count->wakeup);
}

void connection_count_deinit(struct connection_count *count)
{
    wakeup_deinit(&count->wakeup);
}

void connection_count_add(struct connection_count *count)
{
    atomic_fetch_add(count->open, 1);
}

void connection_count_drop(struct connection_count *count)
{
    atomic_fetch_sub(count->open, 1);
    if (atomic_load(&count->watched) && atomic_exchange(&count->watched, false)) {
        wakeup_notify(&count->wakeup);
    }
}

void connection_count_refuse(struct connection_count *count)
{
    atomic_fetch_add(&count->refused, 1);
}

/* In this order connection_count_served is never too low. */
void connection_count_drop_refused(struct connection_count *count)
{
    atomic_fetch_sub(&count->refused, 1);
    connection_count_drop(count);
}

uint64_t connection_count_value(const struct connection_count *count)
{
    return atomic_load(count->open);
}

uint64_t connection_count_served(const struct connection_count *count)
{
    uint64_t refused =
        atomic_load(&count->refused); /* read first: a connection refused in between counts as served */
    uint64_t open = atomic_load(count->open);
    return open > refused ? open - refused : 0;
}

void connection_count_notify(const struct connection_count *count)
{
    wakeup_notify(&count->wakeup);
}

void connection_count_linger_begin(struct connection_count *count, bool gives_way)
{
    atomic_fetch_add(&count->staying, !gives_way);
    atomic_fetch_add(count->lingering, 1);
}

void connection_count_linger_end(struct connection_count *count, bool gives_way)
{
    atomic_fetch_sub(count->lingering, 1);
    atomic_fetch_sub(&count->staying, !gives_way);
}

uint64_t connection_count_lingering(const struct connection_count *count)
{
    return atomic_load(count->lingering);
}

uint64_t connection_count_giving_way(const struct connection_count *count)
{
    uint64_t lingering = atomic_load(count->lingering);
    uint64_t staying = atomic_load(&count->staying);
    return lingering > staying ? lingering - staying : 0;
}

void connection_count_watch(struct connection_count *count)
{
    atomic_store(&count->watched, true);
}

void connection_count_acknowledge(struct connection_count *count)
{
    wakeup_clear(&count->wakeup);
}
