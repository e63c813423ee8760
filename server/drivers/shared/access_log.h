/* SPDX-License-Identifier: MIT */
/* Where the access log's lines go: opened, opened anew, and written without ever waiting. */
#ifndef ECHOD_SERVER_DRIVERS_SHARED_ACCESS_LOG_H
#define ECHOD_SERVER_DRIVERS_SHARED_ACCESS_LOG_H

#include "common/session/log.h"
#include "common/session/service.h"
#include "server/settings/options.h"

enum {
    ACCESS_LOG_LOOP_SIZE = 64 * 1024,  /* of the buffer of a loop */
    ACCESS_LOG_THREAD_SIZE = 8 * 1024, /* and of a connection's thread or process */
    ACCESS_LOG_DESCRIPTORS = 2,        /* that it holds while it opens the file anew */
    ACCESS_LOG_THREAD_WAIT_MS = 10,    /* for access_log_end: at a connection's end */
    ACCESS_LOG_LOOP_WAIT_MS = 500,     /* and at the server's */
};

enum access_log_kind {
    ACCESS_LOG_FILE,   /* a write of any size is whole, and goes to the end */
    ACCESS_LOG_PIPE,   /* a pipe or a device, never blocking: a write of PIPE_BUF bytes is whole, or fails */
    ACCESS_LOG_POLLED, /* the same, but others share how it is open: asked first whether it takes bytes */
    ACCESS_LOG_SOCKET, /* as a service manager's standard output is */
};

/* One for each process. */
struct access_log {
    const char *path; /* NULL: off; "-": stdout */
    int fd;
    _Atomic enum access_log_kind kind; /* another file may be of another kind */
    enum log_format format;
    bool child; /* set in a connection's process: it opens the file anew by itself, see access_log_follow */
    uint32_t generation;
    struct scoreboard *scoreboard;
    char instance[16];
};

/* What a context's owner keeps for it. */
struct access_log_context {
    struct log log; /* the first member */
    struct access_log *to;
    uint64_t retry_us; /* a write has failed: none before; 0: none has */
};

/* Opens what the options name, if they do; they outlive it. 0, or a negative errno with one line in error: then there is
 * nothing to undo. Main thread, before others start. */
int access_log_open(struct access_log *access, const struct options *options, struct scoreboard *scoreboard,
                    char *error, size_t size);
/* The file's path may lead to another file now: lines go there from now on, also those of other processes. Main thread. */
void access_log_reopen(struct access_log *access);
/* In a connection's process: opens the file anew if the parent has. A signal's handler may call it, so that a process
 * which is idle does not keep the space of an old file. A file that cannot be opened is tried again with the next line,
 * and said. */
void access_log_follow(struct access_log *access);

/* With the log on: the context's lines are kept in `text` and written from there. */
void access_log_lend(struct access_log *access, struct access_log_context *own, struct context *context,
                     char *text, size_t size);

/* Writes what the context keeps, as far as that goes. */
static inline void access_log_flush(const struct context *context)
{
    if (context->log != NULL && context->log->length > 0) {
        context->log->flush(context->log);
    }
}

/* The same before the context ends: a reader that is merely slow gets `most_ms`; what is left is lost. */
void access_log_end(const struct context *context, int most_ms);

/* Whether it keeps any. */
static inline bool access_log_has_lines(const struct context *context)
{
    return context->log != NULL && context->log->length > 0;
}

#endif
