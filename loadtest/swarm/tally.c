/* SPDX-License-Identifier: MIT */
/* Counts. */
#include "loadtest/swarm/tally.h"

#include <stdio.h>

#include "loadtest/swarm/instant.h"

#define DELAY_SEEN INSTANT_MILLISECOND /* what a client that has time to spare never is */

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

void tally_note(struct tally *tally, enum outcome outcome, const char *why)
{
    if (tally->first_error[0] == '\0' && outcome >= OUTCOME_FIRST_ERROR) {
        snprintf(tally->first_error, sizeof(tally->first_error), "%s: %s", outcome_name(outcome), why);
    }
}

void tally_settle(struct tally *tally, const struct settled *settled)
{
    tally->outcomes[settled->outcome]++;
    if (outcome_is_answer(settled->outcome) && settled->status < TALLY_STATUSES) {
        tally->statuses[settled->status]++;
    }
    if (outcome_is_right(settled->outcome)) {
        histogram_record(&tally->latency, settled->now - settled->due);
    }
    if (settled->outcome == OUTCOME_LATE) {
        histogram_record(&tally->late, settled->now - settled->due);
    }
    tally_note(tally, settled->outcome, settled->why);
}

uint64_t tally_unfinished(const struct tally *tally)
{
    uint64_t ended = 0;
    for (size_t i = 0; i < OUTCOME_TOTAL; i++) {
        ended += tally->outcomes[i];
    }
    return tally->begun - ended;
}

uint64_t tally_errors(const struct tally *tally)
{
    uint64_t errors = 0;
    for (size_t i = OUTCOME_FIRST_ERROR; i < OUTCOME_TOTAL; i++) {
        errors += tally->outcomes[i];
    }
    return errors;
}

static void note_longest(uint64_t *longest, uint64_t duration)
{
    if (duration > *longest) {
        *longest = duration;
    }
}

void tally_begin(struct tally *tally, uint64_t due, uint64_t free_since, uint64_t now)
{
    tally->begun++;
    if (free_since > due) {
        tally->waited++;
        note_longest(&tally->longest_wait, free_since - due);
    } else {
        tally->delayed += now - due > DELAY_SEEN;
        note_longest(&tally->longest_delay, now - due);
    }
}
