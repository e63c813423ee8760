/* SPDX-License-Identifier: MIT */
/* Count first, then look whether somebody watches; the watcher looks in the other order, so that one of both sees. */
#include "server/drivers/shared/connection_count.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

int gate_init(struct gate *gate, _Atomic uint64_t *open, _Atomic uint64_t *lingering)
{
    gate->open = open;
    gate->refused = 0;
    gate->staying = 0;
    gate->lingering = lingering;
    gate->watched = false;
    gate->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return gate->bell < 0 ? -errno : 0;
}

void gate_deinit(struct gate *gate)
{
    close(gate->bell);
}

void gate_enter(struct gate *gate)
{
    atomic_fetch_add(gate->open, 1);
}

void gate_leave(struct gate *gate)
{
    atomic_fetch_sub(gate->open, 1);
    if (atomic_load(&gate->watched) && atomic_exchange(&gate->watched, false)) {
        eventfd_write(gate->bell, 1);
    }
}

void gate_refuse(struct gate *gate)
{
    atomic_fetch_add(&gate->refused, 1);
}

/* In this order nobody sees less served connections than there are. */
void gate_leave_refused(struct gate *gate)
{
    atomic_fetch_sub(&gate->refused, 1);
    gate_leave(gate);
}

uint64_t gate_open(const struct gate *gate)
{
    return atomic_load(gate->open);
}

uint64_t gate_served(const struct gate *gate)
{
    uint64_t refused =
        atomic_load(&gate->refused); /* first: one that is refused meanwhile counts as served */
    uint64_t open = atomic_load(gate->open);
    return open > refused ? open - refused : 0;
}

void gate_ring(const struct gate *gate)
{
    eventfd_write(gate->bell, 1);
}

void gate_linger_begin(struct gate *gate, bool gives_way)
{
    atomic_fetch_add(&gate->staying, !gives_way);
    atomic_fetch_add(gate->lingering, 1);
}

void gate_linger_end(struct gate *gate, bool gives_way)
{
    atomic_fetch_sub(gate->lingering, 1);
    atomic_fetch_sub(&gate->staying, !gives_way);
}

uint64_t gate_lingering(const struct gate *gate)
{
    return atomic_load(gate->lingering);
}

uint64_t gate_giving_way(const struct gate *gate)
{
    uint64_t lingering = atomic_load(gate->lingering);
    uint64_t staying = atomic_load(&gate->staying);
    return lingering > staying ? lingering - staying : 0;
}

void gate_watch(struct gate *gate)
{
    atomic_store(&gate->watched, true);
}

void gate_answer(struct gate *gate)
{
    eventfd_t count;
    eventfd_read(gate->bell, &count);
}
