/* SPDX-License-Identifier: MIT */
/* Counts connections by state and prints the sums. */
#include "server/drivers/shared/report.h"

#include "server/net/warn.h"

static const char *const names[ACTIVITY_KINDS] = {
    [ACTIVITY_NONE] = "free",       [ACTIVITY_QUEUED] = "queued",       [ACTIVITY_IDLE] = "idle",
    [ACTIVITY_READING] = "reading", [ACTIVITY_SENDING] = "sending",     [ACTIVITY_WAITING] = "waiting",
    [ACTIVITY_WORKING] = "working", [ACTIVITY_LINGERING] = "lingering",
};

bool report_begin(struct report *report, struct scoreboard *scoreboard)
{
    if (atomic_exchange(&report->busy, true)) {
        warn("the previous report is not complete: a loop is blocked");
        return false;
    }
    report->scoreboard = scoreboard;
    for (int i = 0; i < ACTIVITY_KINDS; i++) {
        atomic_store(&report->counts[i], 0);
    }
    atomic_store(&report->missing, 1);
    return true;
}

void report_expect(struct report *report)
{
    atomic_fetch_add(&report->missing, 1);
}

void report_add(struct report *report, enum activity activity, uint64_t count)
{
    atomic_fetch_add(&report->counts[activity], count);
}

void report_counters(struct report *report, size_t first, size_t count)
{
    size_t lent = atomic_load_explicit(&report->scoreboard->counters_claimed, memory_order_acquire);
    for (size_t i = first; i < first + count && i < lent; i++) {
        report_add(report, counters_activity(&report->scoreboard->counters[i]), 1);
    }
}

void report_workers(const struct report *report, const char *name, size_t first, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        warn("%s %zu: %s", name, i + 1, names[counters_activity(&report->scoreboard->counters[first + i])]);
    }
}

void report_end(struct report *report)
{
    if (atomic_fetch_sub(&report->missing, 1) != 1) {
        return;
    }
    for (int i = ACTIVITY_NONE + 1; i < ACTIVITY_KINDS; i++) {
        warn("connections %s: %llu", names[i], (unsigned long long)atomic_load(&report->counts[i]));
    }
    atomic_store(&report->busy, false);
}
