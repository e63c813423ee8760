/* SPDX-License-Identifier: MIT */
/* The access log of one context: whole lines in a buffer of its own, which its driver writes. */
#ifndef ECHOD_COMMON_SESSION_LOG_H
#define ECHOD_COMMON_SESSION_LOG_H

#include "common/base/budget.h"
#include "common/base/clock.h"
#include "common/http/request.h"

enum log_format {
    LOG_TEXT, /* Common Log Format, then duration in µs, mode, connection and request id */
    LOG_JSON, /* an object on a line */
};

enum {
    LOG_LINE_MAX = 4096,    /* bytes with the newline: what a pipe takes whole or not at all (PIPE_BUF) */
    LOG_TARGET_MAX = 3000,  /* bytes of a target, escaped; of a longer one the beginning and "..." */
    LOG_ID_MAX = 128,       /* bytes of an X-Request-Id that is taken over */
    LOG_FIELDS_SIZE = 1024, /* room for what answers have with --cors, and X-Request-Id */
    LOG_WAIT_US = 500000,   /* a line waits so long before it is written */
};

/* One thread at a time, as its context. The functions are its driver's; tests have others. */
struct log {
    char *text;      /* whole lines, each with its newline */
    size_t size;     /* at least LOG_LINE_MAX */
    size_t length;   /* in use */
    uint64_t lines;  /* in `text` */
    uint64_t due_us; /* when the oldest of them should be written */
    /* Writes what it can and takes it out of `text`; never blocks. Called when there is no room, or a line is due. */
    void (*flush)(struct log *log);
    uint64_t (*clock_us)(void);
    enum log_format format;
    struct budget budget;
    const char *instance;      /* how ids begin that are made here: no other server's do */
    struct peer peer;          /* of the line before */
    char host[PEER_TEXT_SIZE]; /* as text */
    uint8_t host_length;
    uint8_t time_length;
    char date[CLOCK_DATE_LENGTH]; /* of the line before */
    char time[32];                /* as the format wants it */
    char fields[LOG_FIELDS_SIZE]; /* field lines of the answer that is being made */
};

/* One request and what became of it. */
struct log_entry {
    const char *date; /* CLOCK_DATE_LENGTH bytes */
    const struct peer *peer;
    const char *mode;
    struct span target; /* or, of a request that was not understood, how it began */
    struct span id;
    uint64_t bytes; /* of the answer's body */
    uint64_t duration_us;
    uint64_t connection;
    unsigned status;       /* 0: the connection was lost before there was an answer */
    bool understood;       /* its request line: then `method` and `minor_version` count */
    uint8_t method;        /* llhttp_method_t */
    uint8_t minor_version; /* of HTTP/1 */
};

/* Adds a line. A line for which there is no room, even after a flush, is lost and counted in the budget's counters. */
void log_write(struct log *log, const struct log_entry *entry);

/* The value of the first X-Request-Id among the fields if it may be taken over: at most LOG_ID_MAX letters, digits and
 * -_.~+/=:@ characters; empty if there is none. */
struct span log_find_id(struct span fields);

/* Makes the id of a request, unique by the instance, its connection and its place there. Writes at most LOG_ID_MAX bytes;
 * returns the end. */
char *log_make_id(const struct log *log, char *out, uint64_t connection, uint32_t ordinal);

#endif
