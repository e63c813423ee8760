/* SPDX-License-Identifier: MIT */
/* Counts connections by state, and prints the sums or publishes them. */
#include "server/drivers/shared/report.h"

#include "server/net/warn.h"

bool report_begin(struct report *report, struct scoreboard *scoreboard, bool prints)
{
    if (atomic_exchange(&report->busy, true)) {
        return false;
    }
    report->scoreboard = scoreboard;
    report->prints = prints;
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
    for (size_t i = 0; i < count && report->prints; i++) {
        warn("%s %zu: %s", name, i,
             activity_names[counters_activity(&report->scoreboard->counters[first + i])]);
    }
}

void report_end(struct report *report)
{
    if (atomic_fetch_sub(&report->missing, 1) != 1) {
        return;
    }
    for (int i = ACTIVITY_NONE + 1; i < ACTIVITY_KINDS; i++) {
        uint64_t count = atomic_load(&report->counts[i]);
        atomic_store(&report->scoreboard->census[i], count);
        if (report->prints) {
            warn("connections %s: %llu", activity_names[i], (unsigned long long)count);
        }
    }
    atomic_store(&report->scoreboard->census_known, true);
    atomic_store(&report->busy, false);
}
