/* SPDX-License-Identifier: MIT */
/* A driver that keeps the rules of session.h, and holds the session to them. */
#include "tests/unit/support/transcript.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common/handlers/routes.h"
#include "common/session/exchange/exchange.h"
#include "tests/unit/support/invariants.h"

/* It stands still, so that no answer depends on it. */
static uint64_t harness_clock(void)
{
    return 1;
}

static const char *const listeners[] = {"192.0.2.9:80"};

static bool harness_local(int socket, struct peer *local)
{
    (void)socket;
    *local = (struct peer){.family = AF_INET, .address = {192, 0, 2, 9}, .port = 80};
    return true;
}

void harness_set_fields(struct harness *harness, bool cors, const char *name)
{
    harness->service.cors = cors;
    harness->service.name = name;
    service_set_fields(&harness->service, harness->fields);
    for (int i = 0; i < 2; i++) {
        harness->contexts[i].adds_common_fields =
            harness->contexts[i].log != NULL || harness->service.fields.length > 0;
    }
}

void harness_init(struct harness *harness, uint64_t held_limit)
{
    *harness = (struct harness){.scoreboard = scoreboard_new(2, held_limit),
                                .scratch = malloc(2 * (size_t)SESSION_SCRATCH_MIN)};
    if (harness->scoreboard == NULL || harness->scratch == NULL) {
        abort();
    }
    harness->service = (struct service){
        .scoreboard = harness->scoreboard,
        .mode = "test",
        .version = "1.2.3",
        .libevent_version = "2.1.12-stable",
        .hostname = "host",
        .max_header_size = HARNESS_HEADER_MAX,
        .max_body_size = HARNESS_BODY_MAX,
        .max_delay_ms = HARNESS_DELAY_MAX_MS,
        .listeners = listeners,
        .local = harness_local,
        .routes = routes_all,
    };
    for (int i = 0; i < 2; i++) {
        context_init(&harness->contexts[i], &harness->service, &harness->scoreboard->counters[i],
                     harness->scratch + (size_t)i * SESSION_SCRATCH_MIN, SESSION_SCRATCH_MIN);
        harness->contexts[i].clock_us = harness_clock;
        memcpy(harness->contexts[i].date, HARNESS_DATE, sizeof HARNESS_DATE - 1);
    }
    harness_set_fields(harness, false, NULL);
}

void harness_deinit(struct harness *harness)
{
    scoreboard_free(harness->scoreboard);
    free(harness->scratch);
}

uint64_t harness_held(const struct harness *harness)
{
    return atomic_load(&harness->scoreboard->held);
}

__attribute__((format(printf, 2, 3))) static void broken(struct transcript *transcript, const char *format,
                                                         ...)
{
    if (transcript->problem[0] == '\0') {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(transcript->problem, sizeof transcript->problem, format, arguments);
        va_end(arguments);
    }
}

void drive_init(struct drive *drive, struct harness *harness, struct transcript *transcript,
                enum refusal refusing)
{
    struct peer peer = {.family = AF_INET, .address = {192, 0, 2, 1}, .port = 1234};
    memset(drive, 0xA5, sizeof *drive);
    drive->harness = harness;
    drive->transcript = transcript;
    drive->context = NULL;
    *transcript = (struct transcript){.wants = WANT_READ};
    session_init(&drive->session, HARNESS_CONNECTION, &peer, refusing);
    if (!session_idle(&drive->session) ||
        session_wants(&drive->session, &harness->contexts[0]) != WANT_READ) {
        broken(transcript, "a new session is idle and wants to read");
    }
}

void drive_deinit(struct drive *drive)
{
    struct transcript *transcript = drive->transcript;
    uint64_t before = harness_held(drive->harness);
    if (session_idle(&drive->session) && before != 0) {
        broken(transcript, "an idle session holds %llu bytes", (unsigned long long)before);
    }
    session_deinit(&drive->session, drive->harness->contexts[0].output.budget);
    if (harness_held(drive->harness) != 0) {
        broken(transcript, "%llu bytes are held after the end",
               (unsigned long long)harness_held(drive->harness));
    }
}

void drive_enter(struct drive *drive)
{
    drive->context = &drive->harness->contexts[drive->harness->passes++ % 2];
    drive->moved = 0;
    session_enter(&drive->session, drive->context);
}

void drive_feed(struct drive *drive, struct span piece)
{
    if ((drive->transcript->wants & WANT_READ) == 0) {
        broken(drive->transcript, "the test feeds a session that does not want to read");
    }
    char *block = malloc(piece.length > 0 ? piece.length : 1);
    if (block == NULL) {
        abort();
    }
    memcpy(block, piece.data, piece.length);
    session_feed(&drive->session, drive->context, block, piece.length);
    drive->moved += piece.length;
    free(block);
}

size_t drive_send(struct drive *drive, size_t most)
{
    struct transcript *transcript = drive->transcript;
    if (session_undecided(&drive->session, drive->context) != 0) {
        session_decide(&drive->session, drive->context);
    }
    struct span unsent = session_output(&drive->session, drive->context);
    size_t length = unsent.length < most ? unsent.length : most;
    if (length == 0) {
        return 0;
    }
    if (transcript->capacity - transcript->length < length) {
        transcript->capacity = (transcript->length + length) * 2;
        transcript->output = realloc(transcript->output, transcript->capacity);
        if (transcript->output == NULL) {
            abort();
        }
    }
    memcpy(transcript->output + transcript->length, unsent.data, length);
    transcript->length += length;
    drive->moved += length;
    session_sent(&drive->session, drive->context, length);
    return length;
}

static bool wants_stand_in_the_table(unsigned wants)
{
    static const unsigned table[] = {
        WANT_READ,
        WANT_READ | WANT_WRITE,
        WANT_WRITE,
        WANT_WAIT,
        WANT_READ | WANT_WRITE | WANT_WAIT,
        WANT_WRITE | WANT_WAIT,
        WANT_WORK,
        WANT_CLOSE,
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (wants == table[i]) {
            return true;
        }
    }
    return false;
}

static void check_wants(struct drive *drive)
{
    struct transcript *transcript = drive->transcript;
    struct session *session = &drive->session;
    bool unsent = (session->out_committed > 0 || drive->harness->contexts[0].holds_output) &&
                  session->close_mode != CLOSE_ABORT;
    if (!wants_stand_in_the_table(transcript->wants)) {
        broken(transcript, "wants %u, which is not in the table of session.h", transcript->wants);
    }
    if (((transcript->wants & WANT_WRITE) != 0) != unsent) {
        broken(transcript, "wants %u with %zu bytes to send", transcript->wants, session->out_committed);
    }
    if ((transcript->wants & (WANT_WAIT | WANT_WORK)) != 0 && !unsent && transcript->timer != TIMER_NONE) {
        broken(transcript, "has a timer while it waits or works: %d", (int)transcript->timer);
    }
    if (session->ended && (transcript->wants & WANT_READ) != 0) {
        broken(transcript, "wants to read behind the end");
    }
    const char *invariant =
        invariants_broken(session, &drive->harness->service, harness_held(drive->harness));
    if (invariant != NULL) {
        broken(transcript, "%s, in state %d", invariant, session->state);
    }
    uint64_t limit = drive->harness->scoreboard->held_limit;
    if (transcript->held_most > limit + limit / 16) {
        broken(transcript, "holds %llu bytes of %llu", (unsigned long long)transcript->held_most,
               (unsigned long long)limit);
    }
}

/* Overwrites what may have been used of the scratch memory: all of it, but in most passes that read or send little. */
static void spoil_scratch(struct drive *drive)
{
    size_t size = drive->context->output.scratch_size;
    bool little = drive->moved < 64 && drive->harness->passes % 64 != 0;
    memset(drive->context->output.scratch, 0xA5, little ? 1024 : size);
}

void drive_leave(struct drive *drive)
{
    struct transcript *transcript = drive->transcript;
    session_leave(&drive->session, drive->context);
    spoil_scratch(drive);
    uint64_t held = harness_held(drive->harness);
    transcript->held_most = held > transcript->held_most ? held : transcript->held_most;
    transcript->wants = session_wants(&drive->session, drive->context);
    transcript->close_mode = session_close_mode(&drive->session);
    transcript->timer = (enum timer)drive->session.timer;
    drive->context = NULL;
    check_wants(drive);
}

void drive_flush(struct drive *drive)
{
    drive_enter(drive);
    while (drive_send(drive, SIZE_MAX) > 0) {
    }
    drive_leave(drive);
}

void drive_pass(struct drive *drive, struct span input)
{
    drive_enter(drive);
    drive_feed(drive, input);
    while (drive_send(drive, SIZE_MAX) > 0) {
    }
    drive_leave(drive);
}

/* Where the read ends that begins at `from`. */
static size_t piece_end(const struct script *script, size_t from)
{
    size_t end = script->input.length;
    if (script->piece > 0) {
        return end - from > script->piece ? from + script->piece : end;
    }
    for (size_t i = 0; script->cuts != NULL && i < script->cut_count; i++) {
        if (script->cuts[i] > from) {
            return script->cuts[i];
        }
    }
    return end;
}

static size_t script_send(struct drive *drive, const struct script *script, bool reading)
{
    size_t sent = 0;
    size_t step = 0;
    switch (script->send) {
    case SEND_NONE: break;
    case SEND_LAST:
        if (reading) {
            break;
        }
        __attribute__((fallthrough));
    case SEND_ALL:
        while ((step = drive_send(drive, SIZE_MAX)) > 0) {
            sent += step;
        }
        break;
    case SEND_SOME: sent = drive_send(drive, script->some); break;
    }
    return sent;
}

/* One pass; false if there was nothing to do. */
static bool script_pass(struct drive *drive, const struct script *script, bool *ended)
{
    struct transcript *transcript = drive->transcript;
    bool read = (transcript->wants & WANT_READ) != 0;
    bool more = read && transcript->taken < script->input.length;
    bool end = read && !more && script->eof && !*ended;
    bool resume = (transcript->wants & (WANT_WAIT | WANT_WORK)) != 0;
    if ((transcript->wants & WANT_WORK) != 0) {
        struct work *work = session_work(&drive->session);
        work->run(work);
    }
    drive_enter(drive);
    if (more) {
        size_t until = piece_end(script, transcript->taken);
        drive_feed(drive, span_between(script->input.data + transcript->taken, script->input.data + until));
        transcript->taken = until;
    } else if (end) {
        session_eof(&drive->session, drive->context);
        *ended = true;
    } else if (resume) {
        session_resume(&drive->session, drive->context);
    }
    bool sent = script_send(drive, script, more || end) > 0;
    drive_leave(drive);
    return more || end || resume || sent;
}

void transcript_run(struct harness *harness, const struct script *script, struct transcript *transcript)
{
    struct drive drive;
    bool ended = false;
    drive_init(&drive, harness, transcript, script->refusing);
    while (!transcript_closed(transcript) && transcript->problem[0] == '\0' &&
           script_pass(&drive, script, &ended)) {
    }
    drive_deinit(&drive);
}

void transcript_free(struct transcript *transcript)
{
    free(transcript->output);
    transcript->output = NULL;
}
