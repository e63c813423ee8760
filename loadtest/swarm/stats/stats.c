/* SPDX-License-Identifier: MIT */
/* Counts. */
#include "loadtest/swarm/stats/stats.h"

#include <stdio.h>

#include "loadtest/swarm/timing/nanoseconds.h"

#define DELAY_SEEN NANOSECONDS_PER_MILLISECOND /* a client that has CPU time to spare is never this late */

const char *outcome_name(enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_RIGHT: return "right";
    case OUTCOME_LATE: return "late";
    case OUTCOME_REFUSED: return "refused";
    case OUTCOME_CONNECT: return "connect";
    case OUTCOME_READ: return "read";
    case OUTCOME_WRITE: return "write";
    case OUTCOME_TIMEOUT: return "timeout";
    case OUTCOME_STATUS: return "status";
    case OUTCOME_BODY: return "body";
    }
    __builtin_unreachable();
}

void stats_note(struct stats *stats, enum outcome outcome, const char *why)
{
    if (stats->first_error[0] == '\0' && outcome >= OUTCOME_FIRST_ERROR) {
        snprintf(stats->first_error, sizeof(stats->first_error), "%s: %s", outcome_name(outcome), why);
    }
}

void stats_settle(struct stats *stats, const struct settled *settled)
{
    stats->outcomes[settled->outcome]++;
    if (outcome_is_answer(settled->outcome) && settled->status < STATS_STATUSES) {
        stats->statuses[settled->status]++;
    }
    if (outcome_is_right(settled->outcome)) {
        histogram_record(&stats->latency, settled->now - settled->due);
    }
    if (settled->outcome == OUTCOME_LATE) {
        histogram_record(&stats->late, settled->now - settled->due);
    }
    stats_note(stats, settled->outcome, settled->why);
}

uint64_t stats_unfinished(const struct stats *stats)
{
    uint64_t ended = 0;
    for (size_t i = 0; i < OUTCOME_TOTAL; i++) {
        ended += stats->outcomes[i];
    }
    return stats->begun - ended;
}

uint64_t stats_errors(const struct stats *stats)
{
    uint64_t errors = 0;
    for (size_t i = OUTCOME_FIRST_ERROR; i < OUTCOME_TOTAL; i++) {
        errors += stats->outcomes[i];
    }
    return errors;
}

static void note_longest(uint64_t *longest, uint64_t duration)
{
    if (duration > *longest) {
        *longest = duration;
    }
}

void stats_begin(struct stats *stats, uint64_t due, uint64_t free_since, uint64_t now)
{
    stats->begun++;
    if (free_since > due) {
        stats->waited++;
        note_longest(&stats->longest_wait, free_since - due);
    } else {
        stats->delayed += now - due > DELAY_SEEN;
        note_longest(&stats->longest_delay, now - due);
    }
}
