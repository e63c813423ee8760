/* SPDX-License-Identifier: MIT */
/* A connection that is refused, for each reason that there is: one 503 that says why, counted under that reason. */
#include <criterion/criterion.h>

#include "tests/unit/support/answer.h"
#include "tests/unit/support/transcript.h"

static const char *const details[REFUSAL_KINDS] = {
    [REFUSAL_FULL] = "\"detail\":\"The server is full.\"",
    [REFUSAL_QUEUE] = "\"detail\":\"The connection queue is full.\"",
    [REFUSAL_MEMORY] = "\"detail\":\"The server has too little memory for another connection.\"",
    [REFUSAL_SYSTEM] = "\"detail\":\"The system has no resources for another connection.\"",
};

static uint64_t counted(const struct harness *harness, enum refusal reason)
{
    const struct counters *counters = harness->scoreboard->counters;
    return atomic_load(&counters[0].refusals[reason]) + atomic_load(&counters[1].refusals[reason]);
}

Test(session_refused, the_answer_says_why)
{
    for (int reason = REFUSAL_NOT + 1; reason < REFUSAL_KINDS; reason++) {
        struct harness harness;
        harness_init(&harness, 1 << 20);
        struct script script = {.input = TEXT("GET /plaintext HTTP/1.1\r\nHost: h\r\n\r\n"),
                                .refusing = (enum refusal)reason};
        struct transcript t;
        transcript_run(&harness, &script, &t);
        struct span rest = transcript_span(&t);
        struct answer answer = {0};
        const char *wrong = answer_next(&rest, false, &answer);
        cr_assert(wrong == NULL, "reason %d: %s", reason, wrong);
        cr_expect(answer.status == 503 && answer.complete && rest.length == 0, "reason %d", reason);
        cr_expect(answer_has(&answer, "Connection", "close"), "reason %d", reason);
        cr_expect(span_contains(answer.body, details[reason]), "reason %d: %.*s", reason,
                  (int)answer.body.length, answer.body.data);
        cr_expect(transcript_closed(&t), "reason %d", reason);
        cr_expect_eq(counted(&harness, (enum refusal)reason), 1, "reason %d", reason);
        transcript_free(&t);
        harness_deinit(&harness);
    }
}
