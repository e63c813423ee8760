/* SPDX-License-Identifier: MIT */
/* The access log of one context: complete lines in its own buffer, written by its driver. */
#ifndef ECHOD_COMMON_SESSION_LOG_H
#define ECHOD_COMMON_SESSION_LOG_H

#include "common/base/budget.h"
#include "common/base/clock.h"
#include "common/http/request.h"

enum log_format {
    LOG_TEXT, /* Common Log Format, then duration in µs, mode, connection and request id */
    LOG_JSON, /* one JSON object per line */
};

enum {
    LOG_LINE_MAX = 4096,    /* bytes with the newline: a pipe takes them whole or not at all (PIPE_BUF) */
    LOG_TARGET_MAX = 3000,  /* bytes of an escaped target; a longer one is cut, with "..." */
    LOG_ID_MAX = 128,       /* bytes of a client's X-Request-Id */
    LOG_FIELDS_SIZE = 1024, /* bytes for the fields of --cors, --name and X-Request-Id */
    LOG_WAIT_US = 500000,   /* the longest time until a line is written */
};

/* Used by one thread at a time, like its context. The driver provides `flush`; tests provide another. */
struct log {
    char *text;      /* complete lines, each with its newline */
    size_t size;     /* at least LOG_LINE_MAX */
    size_t length;   /* in use */
    uint64_t lines;  /* in `text` */
    uint64_t due_us; /* when the oldest line should be written */
    /* Writes as much as possible and removes it from `text`; never blocks. Called if `text` is full or a line is
     * due. */
    void (*flush)(struct log *log);
    enum log_format format;
    bool headers;            /* with LOG_JSON: lines have the request's fields */
    bool secrets;            /* also the values of fields that authenticate */
    bool truncated;          /* private: the line in progress leaves something out */
    const struct span *skip; /* paths of which the log has no line */
    size_t skip_count;
    struct counters *counters; /* of its context */
    struct budget budget;
    const char *instance;      /* the unique prefix of the ids that this server makes */
    struct peer peer;          /* of the previous line */
    char host[PEER_TEXT_SIZE]; /* as text */
    uint8_t host_length;
    uint8_t time_length;
    char date[CLOCK_DATE_LENGTH]; /* of the previous line */
    char time[32];                /* the same in the format of the log */
    char fields[LOG_FIELDS_SIZE]; /* field lines of the answer in progress */
};

/* One request and its outcome. */
struct log_entry {
    const char *date; /* CLOCK_DATE_LENGTH bytes */
    const struct peer *peer;
    const char *mode;
    struct span target; /* or the beginning of a request that was not understood */
    struct span id;
    struct span fields; /* the request's, if it was understood */
    uint64_t bytes;     /* of the answer's body */
    uint64_t duration_us;
    uint64_t connection;
    unsigned status;       /* 0: the connection ended before an answer */
    bool understood;       /* the request line was: `method` and `minor_version` are valid */
    uint8_t faults;        /* bits of fault_bit */
    uint8_t method;        /* llhttp_method_t */
    uint8_t minor_version; /* of HTTP/1 */
};

/* Adds a line. A line that does not fit, even after a flush, is lost and counted in `counters`. */
void log_write(struct log *log, const struct log_entry *entry);

/* Whether the log has no line of a request for this path, as it was sent without its query. */
bool log_skips(const struct log *log, struct span path);

/* Returns the value of the first X-Request-Id in the field lines `fields`, if it consists of at most LOG_ID_MAX
 * letters, digits and -_.~+/=:@ characters; otherwise an empty span. Any thread. */
struct span log_find_id(struct span fields);

/* Writes the id of a request, made unique by the instance, the connection and the request's number on it: at most
 * LOG_ID_MAX bytes. Returns the end. */
char *log_make_id(const struct log *log, char *out, uint64_t connection, uint32_t ordinal);

#endif
