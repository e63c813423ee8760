/* SPDX-License-Identifier: MIT */
/* The file, pipe or socket of the access log: opened, reopened, and written to without blocking. */
#ifndef ECHOD_SERVER_DRIVERS_SHARED_ACCESS_LOG_H
#define ECHOD_SERVER_DRIVERS_SHARED_ACCESS_LOG_H

#include "common/session/log.h"
#include "common/session/service.h"
#include "server/settings/options.h"

enum {
    ACCESS_LOG_LOOP_SIZE = 64 * 1024,  /* bytes of a loop's buffer */
    ACCESS_LOG_THREAD_SIZE = 8 * 1024, /* bytes of the buffer of a connection's thread or process */
    ACCESS_LOG_DESCRIPTORS = 2,        /* the most descriptors, reached while it is reopened */
    ACCESS_LOG_THREAD_WAIT_MS = 10,    /* for access_log_end when a connection ends */
    ACCESS_LOG_LOOP_WAIT_MS = 500,     /* for access_log_end when the server ends */
};

enum access_log_kind {
    ACCESS_LOG_FILE, /* appends a write of any size as a whole */
    ACCESS_LOG_PIPE, /* a pipe or device, non-blocking: takes a write of PIPE_BUF bytes as a whole or not at all */
    ACCESS_LOG_POLLED, /* the same, opened blocking and shared with other processes: polled before each write */
    ACCESS_LOG_SOCKET, /* such as the stdout that a service manager provides */
};

/* One for each process; it lasts as long as the process. */
struct access_log {
    const char *path; /* NULL: off; "-": stdout */
    int fd;
    _Atomic enum access_log_kind kind; /* a reopened file may be of another kind */
    enum log_format format;
    const struct options *options; /* for what a line says, and which requests have one */
    bool child; /* set in a connection's process, which reopens the file itself: see access_log_follow */
    uint32_t generation; /* the scoreboard's log_generation when `fd` was opened */
    struct scoreboard *scoreboard;
    char instance[16]; /* the prefix of the request ids */
};

/* The part of the log that each context has. The owner of the context provides the memory. */
struct access_log_context {
    struct log log; /* the first member */
    struct access_log *to;
    uint64_t retry_us; /* after a failed write: the time before which no other is tried; else 0 */
};

/* Opens the log that the options name, if any. `options` and `scoreboard` must outlive it. Returns 0, or a negative
 * errno with one line in `error` (of `size` bytes); after an error there is nothing to undo. Main thread, before it
 * starts others. */
int access_log_open(struct access_log *access, const struct options *options, struct scoreboard *scoreboard,
                    char *error, size_t size);
/* Opens the path again, because it may lead to another file now. All threads then write to that file; child
 * processes follow (access_log_follow). If the file cannot be opened, the old one stays in use and a line on stderr
 * says so. Does nothing for stdout. Main thread, while other threads may be writing. */
void access_log_reopen(struct access_log *access);
/* In a connection's process: reopens the file if the parent has done so. A signal handler may call it, so that an
 * idle process does not keep the disk space of an old file in use. If the file cannot be opened, the next line that
 * is written tries once more; if that fails, too, a line on stderr says so. */
void access_log_follow(struct access_log *access);

/* With the log on: gives `context` a log, in `own`, that collects lines in `text` (of `size` bytes, at least
 * LOG_LINE_MAX). The caller owns both; they must outlive the use of the context. Call after context_init. The thread
 * that owns the context, like the functions below. */
void access_log_lend(struct access_log *access, struct access_log_context *own, struct context *context,
                     char *text, size_t size);

/* Takes the log from the context again: its requests leave no line. */
void access_log_withdraw(struct context *context);

/* Writes as many of the context's lines as possible without blocking. */
static inline void access_log_flush(const struct context *context)
{
    if (context->log != NULL && context->log->length > 0) {
        context->log->flush(context->log);
    }
}

/* Writes the context's lines before the context ends. Waits up to `most_ms` for room before each write, but not at
 * all while nobody reads the log. Lines that are left are lost and counted. */
void access_log_end(const struct context *context, int most_ms);

/* Whether the context has lines that are not written yet. */
static inline bool access_log_has_lines(const struct context *context)
{
    return context->log != NULL && context->log->length > 0;
}

#endif
