/* SPDX-License-Identifier: MIT */
/* Drives a session as a server would, without sockets: a script says what the client and its socket do, a transcript
 * what came of it. Contexts alternate and their scratch memory is overwritten between passes, and each piece of input
 * stands in a block of exactly its size, so that whatever a session keeps by mistake is seen. Needs no test framework. */
#ifndef ECHOD_TESTS_UNIT_SUPPORT_TRANSCRIPT_H
#define ECHOD_TESTS_UNIT_SUPPORT_TRANSCRIPT_H

#include "common/session/session.h"

#define HARNESS_DATE "Sun, 06 Nov 1994 08:49:37 GMT"

enum {
    HARNESS_HEADER_MAX = 16 * 1024,
    HARNESS_BODY_MAX = 300000,
    HARNESS_CONNECTION = 7, /* the number of each session */
    HARNESS_DELAY_MAX_MS = 10 * 1000,
};

/* A server without its I/O: mode "test", host "host", the limits above, one listener. Change `service` before the first session. */
struct harness {
    struct scoreboard *scoreboard;
    struct service service;
    struct context contexts[2];
    char *scratch;
    char fields[SERVICE_FIELDS_SIZE];
    unsigned passes;
};

void harness_init(struct harness *harness, uint64_t held_limit);
void harness_deinit(struct harness *harness);
/* As --cors and --name, which is NULL without it, would set the service. */
void harness_set_fields(struct harness *harness, bool cors, const char *name);
uint64_t harness_held(const struct harness *harness);

/* What the socket takes in a pass. */
enum send_pattern {
    SEND_ALL,
    SEND_SOME, /* `some` bytes once, then no more */
    SEND_LAST, /* nothing as long as there is input that the session wants to read */
    SEND_NONE, /* nothing, ever */
};

struct script {
    struct span input;
    size_t piece;       /* bytes per read; 0: see cuts */
    const size_t *cuts; /* ascending offsets where one read ends and the next begins; NULL: all in one */
    size_t cut_count;
    enum send_pattern send;
    size_t some;
    bool eof; /* the client shuts its sending side down behind the input */
    enum refusal refusing;
};

struct transcript {
    char *output; /* what was sent; on the heap */
    size_t length;
    size_t capacity;
    size_t taken;               /* bytes of the input */
    uint64_t held_most;         /* after a pass */
    unsigned wants;             /* of the last pass */
    enum close_mode close_mode; /* if wants is WANT_CLOSE */
    enum timer timer;
    char problem[160]; /* a rule of session.h that was broken; empty if none was */
};

/* One connection of a harness, driven step by step. */
struct drive {
    struct harness *harness;
    struct session session;
    struct transcript *transcript;
    struct context *context; /* in a pass */
    size_t moved;            /* bytes read and sent in it */
};

void drive_init(struct drive *drive, struct harness *harness, struct transcript *transcript,
                enum refusal refusing);
/* Ends the session and checks that nothing is held any longer. */
void drive_deinit(struct drive *drive);
void drive_enter(struct drive *drive);
void drive_feed(struct drive *drive, struct span piece);
/* Sends at most `most` bytes; how many. */
size_t drive_send(struct drive *drive, size_t most);
/* Leaves the session and looks at what it wants: transcript->wants. */
void drive_leave(struct drive *drive);
/* Whole passes: read `text` and send all; only send. */
void drive_pass(struct drive *drive, struct span input);
void drive_flush(struct drive *drive);

/* A connection from its beginning until it is closed, or open with nothing left to do. `transcript` need not be
 * initialised; transcript_free frees what it owns. */
void transcript_run(struct harness *harness, const struct script *script, struct transcript *transcript);
void transcript_free(struct transcript *transcript);

static inline bool transcript_closed(const struct transcript *transcript)
{
    return (transcript->wants & WANT_CLOSE) != 0;
}

static inline struct span transcript_span(const struct transcript *transcript)
{
    return (struct span){.data = transcript->output == NULL ? "" : transcript->output,
                         .length = transcript->length};
}

/* For literals that hold NUL bytes too. */
#define TEXT(literal) ((struct span){.data = (literal), .length = sizeof(literal) - 1})

#endif
