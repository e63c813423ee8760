/* SPDX-License-Identifier: MIT */
/* A connection: what comes first in the input is what the client sends; the bytes at its end say how it is split, how
 * much the socket takes in each pass, and what else befalls it:
 *
 *     TEXT  STEP...  SETTINGS  COUNT          COUNT % 64 bytes are steps
 *
 * Either the answers are the same as to the whole text in one read, or, where the settings have events (timeouts, drain,
 * refused work, a tiny budget), the rules of session.h and the session's invariants hold. */
#include <stdio.h>
#include <stdlib.h>

#include "common/handlers/routes.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/support/answer.h"
#include "tests/unit/support/log_sink.h"
#include "tests/unit/support/transcript.h"

enum {
    AMPLE = 64 << 20,
    TINY = 64 * 1024,
    OUTPUT_MAX = 256 * 1024, /* answers of a gigabyte are cut off here */
    STILL_MAX = 8,           /* passes in which nothing moves */
    STEPS_MAX = 64,
};

enum setting {
    SETTING_EOF = 1,       /* the client ends its side behind the text */
    SETTING_REFUSING = 2,  /* the server is full */
    SETTING_TINY = 4,      /* of the budget */
    SETTING_EVENTS = 8,    /* steps may be events */
    SETTING_CORS = 16,     /* --cors */
    SETTING_MAIN = 32,     /* --admin-listen: this is not that listener */
    SETTING_UNSERVED = 64, /* other connections wait for this one's worker */
    SETTING_LOG = 128,     /* --access-log */
};

struct plan {
    struct span text;
    const uint8_t *steps;
    size_t step_count;
    unsigned settings;
};

/* A run of a plan, or of its text as one. */
struct run {
    const struct plan *plan;
    struct harness *harness;
    struct drive drive;
    struct transcript transcript;
    size_t step;
    bool split;
    bool ended;
    bool drained;
    unsigned still; /* passes since something moved */
};

static struct plan plan_of(const uint8_t *data, size_t size)
{
    struct plan plan = {.text = {.data = (const char *)data, .length = size}};
    if (size < 2) {
        return plan;
    }
    plan.step_count = data[size - 1] % STEPS_MAX;
    plan.settings = data[size - 2];
    size -= 2;
    plan.step_count = plan.step_count < size ? plan.step_count : size;
    plan.text.length = size - plan.step_count;
    plan.steps = data + plan.text.length;
    return plan;
}

static unsigned next_step(struct run *run)
{
    const struct plan *plan = run->plan;
    return run->split && plan->step_count > 0 ? plan->steps[run->step++ % plan->step_count] : 0;
}

static size_t read_size(unsigned step)
{
    static const size_t sizes[] = {SIZE_MAX, 1, 2, 3, 7, 16, 100, 1000};
    return sizes[step & 7];
}

static size_t send_size(unsigned step)
{
    static const size_t sizes[] = {SIZE_MAX, 0, 1, 13, 100, 1000, 8000, SIZE_MAX};
    return sizes[step >> 3 & 7];
}

/* What may happen instead of a read, in any state. */
static bool event(struct run *run, unsigned step)
{
    struct drive *drive = &run->drive;
    if (!run->split || (run->plan->settings & SETTING_EVENTS) == 0) {
        return false;
    }
    switch (step >> 6) {
    case 1:
        if (run->transcript.timer != TIMER_NONE) {
            session_timeout(&drive->session, drive->context);
            return true;
        }
        return false;
    case 2:
        if (run->drained) {
            return false;
        }
        run->drained = true;
        atomic_store(&run->harness->scoreboard->draining, true);
        session_drain(&drive->session, drive->context);
        return true;
    case 3:
        if ((run->transcript.wants & WANT_WORK) != 0) {
            session_refuse_work(&drive->session, drive->context);
            return true;
        }
        return false;
    default: return false;
    }
}

static bool act(struct run *run, unsigned step)
{
    struct drive *drive = &run->drive;
    struct transcript *transcript = &run->transcript;
    const struct plan *plan = run->plan;
    if (event(run, step)) {
        return true;
    }
    if ((transcript->wants & WANT_READ) != 0 && transcript->taken < plan->text.length) {
        size_t left = plan->text.length - transcript->taken;
        size_t size = run->split && read_size(step) < left ? read_size(step) : left;
        drive_feed(drive, (struct span){.data = plan->text.data + transcript->taken, .length = size});
        transcript->taken += size;
        return true;
    }
    if ((transcript->wants & WANT_READ) != 0 && (plan->settings & SETTING_EOF) != 0 && !run->ended) {
        session_eof(&drive->session, drive->context);
        run->ended = true;
        return true;
    }
    if ((transcript->wants & (WANT_WAIT | WANT_WORK)) != 0) {
        session_resume(&drive->session, drive->context);
        return true;
    }
    return false;
}

static bool pass(struct run *run)
{
    unsigned step = next_step(run);
    if ((run->transcript.wants & WANT_WORK) != 0) {
        struct work *work = session_work(&run->drive.session);
        work->output = work->input; /* it may be a thousand million rounds */
    }
    drive_enter(&run->drive);
    bool moved = act(run, step);
    size_t most = run->still < 2 ? send_size(step) : SIZE_MAX;
    size_t sent = 1;
    while (sent > 0 && most > 0 && run->transcript.length < OUTPUT_MAX) {
        sent = drive_send(&run->drive, most);
        most = most == SIZE_MAX ? most : 0;
        moved |= sent > 0;
    }
    drive_leave(&run->drive);
    run->still = moved ? 0 : run->still + 1;
    return run->still < STILL_MAX && !transcript_closed(&run->transcript) &&
           run->transcript.problem[0] == '\0' && run->transcript.length < OUTPUT_MAX;
}

static struct log_sink sinks[2];

/* Made once: a mapping for each input would take most of the time. */
static struct harness *harness_of(unsigned settings)
{
    static struct harness harnesses[2];
    bool tiny = (settings & SETTING_TINY) != 0;
    struct harness *harness = &harnesses[tiny];
    if (harness->scoreboard == NULL) {
        harness_init(harness, tiny ? TINY : AMPLE);
    }
    bool cors = (settings & SETTING_CORS) != 0;
    log_sink_detach(harness);
    harness_set_fields(harness, cors, cors && (settings & SETTING_MAIN) != 0 ? "fuzz" : NULL);
    if ((settings & SETTING_LOG) != 0) {
        log_sink_attach(sinks, harness, (settings & SETTING_MAIN) != 0 ? LOG_JSON : LOG_TEXT);
    }
    harness->service.routes = (settings & SETTING_MAIN) != 0 ? routes_main : routes_all;
    bool unserved = (settings & SETTING_UNSERVED) != 0;
    harness->contexts[0].yield_when_unserved = harness->contexts[1].yield_when_unserved = unserved;
    atomic_store(&harness->scoreboard->unserved, unserved);
    atomic_store(&harness->scoreboard->draining, false);
    return harness;
}

static void run_all(struct run *run, const struct plan *plan, bool split)
{
    *run = (struct run){.plan = plan, .split = split};
    run->harness = harness_of(split ? plan->settings : plan->settings & ~(unsigned)SETTING_TINY);
    drive_init(&run->drive, run->harness, &run->transcript,
               (plan->settings & SETTING_REFUSING) != 0 ? REFUSAL_FULL : REFUSAL_NOT);
    while (pass(run)) {
    }
    drive_deinit(&run->drive);
    FUZZ_CHECK(run->transcript.problem[0] == '\0', ": %s", run->transcript.problem);
    const char *wrong = run->harness->contexts[0].log != NULL ? log_sink_wrong(sinks) : NULL;
    FUZZ_CHECK(wrong == NULL, ": %s", wrong);
}

/* How many answers went wrong on request. */
static uint64_t aborts(const struct scoreboard *scoreboard)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < scoreboard->counters_count; i++) {
        for (int fault = FAULT_ABORT; fault < FAULT_NAMES; fault++) {
            sum += atomic_load(&scoreboard->rare[i].faults[fault]);
        }
    }
    return sum;
}

/* Everything that was sent is answers, one behind the other; the last may be cut short if the connection ended. */
static void check_answers(const struct run *run)
{
    struct span rest = transcript_span(&run->transcript);
    if (span_contains(run->plan->text, "HEAD")) {
        return; /* which answers have a body cannot be told from outside */
    }
    while (rest.length > 0) {
        struct answer answer;
        const char *wrong = answer_next(&rest, false, &answer);
        bool cut = run->transcript.length >= OUTPUT_MAX || transcript_closed(&run->transcript) || run->ended;
        FUZZ_CHECK(wrong == NULL || (cut && rest.length < 2048), ": %s", wrong);
        FUZZ_CHECK(wrong != NULL || answer.complete || cut || run->split, ": an answer is cut short");
        if (wrong != NULL) {
            return;
        }
    }
}

static void check_same(const struct run *whole, const struct run *split)
{
    struct span a = transcript_span(&whole->transcript);
    struct span b = transcript_span(&split->transcript);
    if (a.length >= OUTPUT_MAX || b.length >= OUTPUT_MAX) {
        a.length = b.length = OUTPUT_MAX;
    } else {
        FUZZ_CHECK(transcript_closed(&whole->transcript) == transcript_closed(&split->transcript),
                   ": closed %d, or %d", transcript_closed(&whole->transcript),
                   transcript_closed(&split->transcript));
    }
    FUZZ_CHECK(span_equal(a, b), ": %zu bytes\n%.*s\nor %zu\n%.*s", a.length, (int)a.length, a.data, b.length,
               (int)b.length, b.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct plan plan = plan_of(data, size);
    bool rules_only = (plan.settings & (SETTING_TINY | SETTING_EVENTS)) != 0;
    /* The counters are another number where there were more passes. */
    bool counts = span_contains(plan.text, "/metrics");
    struct run whole = {.plan = NULL};
    struct run split;
    run_all(&split, &plan, true);
    if (!rules_only) {
        uint64_t before = aborts(harness_of(plan.settings & ~(unsigned)SETTING_TINY)->scoreboard);
        run_all(&whole, &plan, false);
        /* Events that HTTP/1.0 gets end with the connection. */
        if (aborts(whole.harness->scoreboard) == before && !span_contains(plan.text, "/sse")) {
            check_answers(&whole);
        }
    }
    if (!rules_only && !counts) {
        check_same(&whole, &split);
    }
    transcript_free(&whole.transcript);
    transcript_free(&split.transcript);
    return 0;
}
