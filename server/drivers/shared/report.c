/* SPDX-License-Identifier: MIT */
/* Counts and lines. */
#include "server/drivers/shared/report.h"

#include "server/net/warn.h"

static const char *const names[DOING_KINDS] = {
    [DOING_NOTHING] = "free",    [DOING_QUEUED] = "queued",       [DOING_IDLE] = "idle",
    [DOING_READING] = "reading", [DOING_SENDING] = "sending",     [DOING_WAITING] = "waiting",
    [DOING_WORKING] = "working", [DOING_LINGERING] = "lingering",
};

bool report_begin(struct report *report, struct shared *shared)
{
    if (atomic_exchange(&report->busy, true)) {
        warn("the report before is not complete: a loop is held up");
        return false;
    }
    report->shared = shared;
    for (int i = 0; i < DOING_KINDS; i++) {
        atomic_store(&report->counts[i], 0);
    }
    atomic_store(&report->missing, 1);
    return true;
}

void report_expect(struct report *report)
{
    atomic_fetch_add(&report->missing, 1);
}

void report_add(struct report *report, enum doing doing, uint64_t count)
{
    atomic_fetch_add(&report->counts[doing], count);
}

void report_slots(struct report *report, size_t first, size_t count)
{
    size_t lent = atomic_load_explicit(&report->shared->slots_lent, memory_order_acquire);
    for (size_t i = first; i < first + count && i < lent; i++) {
        report_add(report, slot_doing(&report->shared->slots[i]), 1);
    }
}

void report_workers(const struct report *report, const char *name, size_t first, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        warn("%s %zu: %s", name, i + 1, names[slot_doing(&report->shared->slots[first + i])]);
    }
}

static enum doing connection_doing(const struct connection *connection)
{
    const struct session *session = &connection->session;
    if (connection->list == REACTOR_LINGERING) {
        return DOING_LINGERING;
    }
    if (connection->working) {
        return DOING_WORKING;
    }
    switch ((enum timer)session->timer) {
    case TIMER_NONE: return connection->timed ? DOING_WAITING : DOING_WORKING;
    case TIMER_IDLE: return DOING_IDLE;
    case TIMER_HEADER: return DOING_READING;
    case TIMER_BODY: return session->out_committed > 0 ? DOING_SENDING : DOING_READING;
    }
    __builtin_unreachable();
}

void report_reactor(struct report *report, const struct reactor *reactor)
{
    const struct connection *connection;
    for (int i = 0; i < REACTOR_LISTS; i++) {
        TAILQ_FOREACH(connection, &reactor->lists[i], others)
        {
            report_add(report, connection_doing(connection), 1);
        }
    }
    report_add(report, DOING_LINGERING, reactor->refuser.count);
}

void report_end(struct report *report)
{
    if (atomic_fetch_sub(&report->missing, 1) != 1) {
        return;
    }
    for (int i = DOING_NOTHING + 1; i < DOING_KINDS; i++) {
        warn("connections %s: %llu", names[i], (unsigned long long)atomic_load(&report->counts[i]));
    }
    atomic_store(&report->busy, false);
}
