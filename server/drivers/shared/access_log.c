/* SPDX-License-Identifier: MIT */
/* Each context writes its own lines. Every write consists of whole lines and is appended as a whole, so that no lock
 * is needed and the lines of different threads and processes do not mix. */
#include "server/drivers/shared/access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "server/net/warn.h"

enum {
    END_TRIES = 256, /* a pipe of the default size takes a loop's buffer in one */
    SAY_AGAIN_MS = 60 * 1000,
    FULL_RETRY_US = 500,    /* the pause after a write for which a pipe had no room */
    FAIL_RETRY_US = 100000, /* the pause after a write that failed otherwise */
};

/* ---- opening ---- */

static enum access_log_kind kind_of(int fd)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || S_ISREG(status.st_mode)) {
        return ACCESS_LOG_FILE;
    }
    return S_ISSOCK(status.st_mode) ? ACCESS_LOG_SOCKET : ACCESS_LOG_PIPE;
}

static int open_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);
    return fd < 0 ? -errno : fd;
}

/* The flags of a pipe or terminal on stdout are shared with the processes that passed it. So it is opened again,
 * because only a separate open file may become non-blocking. */
static void open_stdout(struct access_log *access)
{
    access->kind = kind_of(STDOUT_FILENO);
    access->fd = STDOUT_FILENO;
    if (access->kind != ACCESS_LOG_PIPE) {
        return;
    }
    int fd = open("/proc/self/fd/1", O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        access->kind = ACCESS_LOG_POLLED;
    } else {
        access->fd = fd;
    }
}

/* Sets a random prefix of twelve digits, which distinguishes the ids of this server from others. */
static void make_instance(struct access_log *access)
{
    uint64_t random = 0;
    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random)) {
        random = clock_us() * 0x9E3779B97F4A7C15u ^ (uint64_t)getpid();
    }
    snprintf(access->instance, sizeof(access->instance), "%012llx",
             (unsigned long long)(random & 0xffffffffffff));
}

int access_log_open(struct access_log *access, const struct options *options, struct scoreboard *scoreboard,
                    char *error, size_t size)
{
    *access = (struct access_log){.path = options->access_log,
                                  .options = options,
                                  .fd = -1,
                                  .scoreboard = scoreboard,
                                  .format = LOG_TEXT};
    if (access->path == NULL) {
        return 0;
    }
    access->format = options->log_format == OPTIONS_LOG_JSON ? LOG_JSON : LOG_TEXT;
    make_instance(access);
    if (strcmp(access->path, "-") == 0) {
        open_stdout(access);
        return 0;
    }
    access->fd = open_file(access->path);
    if (access->fd < 0) {
        snprintf(error, size, "cannot open the access log %s: %s", access->path, strerror(-access->fd));
        return access->fd;
    }
    access->kind = kind_of(access->fd);
    return 0;
}

/* The descriptor keeps its number, so that a thread that is writing uses either the old or the new file. A pipe
 * takes only short writes as a whole: if the new file is a pipe, `kind` changes before the descriptor does. Returns
 * 0 or a negative errno; after an error the old file stays in use. */
static int take_file_anew(struct access_log *access)
{
    int fd = open_file(access->path);
    if (fd < 0) {
        return fd;
    }
    enum access_log_kind kind = kind_of(fd);
    if (kind != ACCESS_LOG_FILE) {
        access->kind = kind;
    }
    int error = dup3(fd, access->fd, O_CLOEXEC) < 0 ? -errno : 0;
    access->kind = error == 0 ? kind : kind_of(access->fd);
    close(fd);
    return error;
}

static void say_kept(const struct access_log *access, int error)
{
    warn("cannot reopen the access log %s: %s; the old file stays in use", access->path, strerror(-error));
}

void access_log_reopen(struct access_log *access)
{
    if (access->path == NULL || strcmp(access->path, "-") == 0) {
        return;
    }
    int error = take_file_anew(access);
    if (error != 0) {
        say_kept(access, error);
    }
    /* Later children inherit the new file; the present ones reopen it themselves. */
    access->generation = atomic_fetch_add(&access->scoreboard->log_generation, 1) + 1;
}

static bool is_behind(const struct access_log *access)
{
    return atomic_load_explicit(&access->scoreboard->log_generation, memory_order_relaxed) !=
           access->generation;
}

void access_log_follow(struct access_log *access)
{
    if (access->path == NULL || !is_behind(access)) {
        return;
    }
    uint32_t generation = atomic_load(&access->scoreboard->log_generation);
    if (take_file_anew(access) == 0) {
        access->generation = generation;
    }
}

/* ---- writing ---- */

/* Signals are blocked: their handler may open a newer file, which this one must not replace. */
static COLD void take_newer_file(struct access_log *access)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    access->generation = atomic_load(&access->scoreboard->log_generation);
    int error = take_file_anew(access);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0) {
        say_kept(access, error);
    }
}

/* Returns the length of the whole lines at the beginning of the text that fit into one write. */
static size_t piece_of(const struct access_log *access, const char *text, size_t length)
{
    if (access->kind == ACCESS_LOG_FILE || length <= PIPE_BUF) {
        return length;
    }
    const char *newline = memrchr(text, '\n', PIPE_BUF);
    return (size_t)(newline - text) + 1;
}

/* After a write that ended within a line, as on a full disk, the next write begins with a newline. */
static ssize_t write_piece(const struct access_log *access, char *text, size_t length)
{
    bool torn = atomic_load_explicit(&access->scoreboard->log_torn, memory_order_relaxed) &&
                atomic_exchange(&access->scoreboard->log_torn, false);
    struct iovec pieces[] = {{.iov_base = (char[]){'\n'}, .iov_len = torn},
                             {.iov_base = text, .iov_len = length}};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};
    struct pollfd room = {.fd = access->fd, .events = POLLOUT};
    ssize_t written;
    errno = EAGAIN;
    if (access->kind == ACCESS_LOG_POLLED && poll(&room, 1, 0) <= 0) {
        written = -1;
    } else if (access->kind == ACCESS_LOG_SOCKET) {
        written = sendmsg(access->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    } else {
        written = writev(access->fd, pieces, 2);
    }
    if (torn && written <= 0) {
        atomic_store(&access->scoreboard->log_torn, true);
    }
    return written > 0 && torn ? written - 1 : written;
}

static uint64_t count_lines(const char *text, size_t length)
{
    uint64_t count = 0;
    for (const char *end = text + length; (text = memchr(text, '\n', (size_t)(end - text))) != NULL; text++) {
        count++;
    }
    return count;
}

static void say_lost(const struct access_log *access, int error)
{
    uint64_t now = clock_ms();
    uint64_t said = atomic_load(&access->scoreboard->log_said_ms);
    if ((said == 0 || now - said >= SAY_AGAIN_MS) &&
        atomic_compare_exchange_strong(&access->scoreboard->log_said_ms, &said, now)) {
        warn("access log lines are lost: %s (counted in echod_access_log_lost_lines_total)",
             error == EAGAIN ? "its reader is too slow" : strerror(error));
    }
}

/* Removes the first `length` bytes, which were written. The rest of a line that was written in part is dropped. */
static void take_out(struct access_log_context *own, size_t length, int error)
{
    struct log *log = &own->log;
    struct counters *counters = log->counters;
    uint64_t written = log->lines;
    if (length < log->length) {
        written = count_lines(log->text, length);
        if (length > 0 && log->text[length - 1] != '\n') {
            const char *newline = memchr(log->text + length, '\n', log->length - length);
            length = (size_t)(newline - log->text) + 1;
            atomic_store(&own->to->scoreboard->log_torn, true);
            counters_add(&counters->log_lost, 1);
            log->lines--;
            say_lost(own->to, error);
        }
        memmove(log->text, log->text + length, log->length - length);
    }
    counters_add(&counters->log_lines, written);
    log->lines -= written;
    log->length -= length;
}

/* Returns the error of a write that was short. */
static int short_of(const struct access_log *access)
{
    return access->kind == ACCESS_LOG_FILE ? ENOSPC : EAGAIN;
}

/* Writes all lines, or until a write fails. Returns 0 or the errno of that write: EAGAIN if there is no room. */
static int write_lines(struct access_log_context *own)
{
    struct log *log = &own->log;
    size_t written = 0;
    int error = 0;
    if (own->to->child && is_behind(own->to)) {
        take_newer_file(own->to);
    }
    while (error == 0 && written < log->length) {
        size_t piece = piece_of(own->to, log->text + written, log->length - written);
        ssize_t result = write_piece(own->to, log->text + written, piece);
        if (result >= 0 || errno != EINTR) {
            written += result > 0 ? (size_t)result : 0;
            error = result < 0 ? errno : (size_t)result < piece ? short_of(own->to) : 0;
        }
    }
    if (written > 0 && atomic_load_explicit(&own->to->scoreboard->log_jammed, memory_order_relaxed)) {
        atomic_store(&own->to->scoreboard->log_jammed, false);
    }
    take_out(own, written, error);
    return error;
}

static void flush(struct log *log)
{
    struct access_log_context *own = (struct access_log_context *)log;
    if (own->retry_us != 0 && clock_us() < own->retry_us) {
        return;
    }
    int error = write_lines(own);
    own->retry_us = error == 0 ? 0 : clock_us() + (error == EAGAIN ? FULL_RETRY_US : FAIL_RETRY_US);
    if (error != 0 && log->size - log->length < LOG_LINE_MAX) {
        say_lost(own->to, error);
    }
}

/* After a wait in vain, no thread or process waits again until a write has succeeded. */
static bool await_room(const struct access_log_context *own, int most_ms)
{
    struct pollfd room = {.fd = own->to->fd, .events = POLLOUT};
    if (atomic_load(&own->to->scoreboard->log_jammed)) {
        return false;
    }
    int ready = poll(&room, 1, most_ms);
    if (ready == 0) {
        atomic_store(&own->to->scoreboard->log_jammed, true);
    }
    return ready > 0 || (ready < 0 && errno == EINTR);
}

void access_log_end(const struct context *context, int most_ms)
{
    struct log *log = context->log;
    struct access_log_context *own = (struct access_log_context *)log;
    if (log == NULL) {
        return;
    }
    int error = write_lines(own);
    for (int i = 0; i < END_TRIES && error == EAGAIN && log->length > 0 && await_room(own, most_ms); i++) {
        error = write_lines(own);
    }
    if (log->length > 0) {
        counters_add(&log->counters->log_lost, log->lines);
        say_lost(own->to, error);
        log->length = 0;
        log->lines = 0;
    }
}

void access_log_lend(struct access_log *access, struct access_log_context *own, struct context *context,
                     char *text, size_t size)
{
    if (access->path == NULL) {
        return;
    }
    own->to = access;
    own->retry_us = 0;
    own->log.text = text;
    own->log.size = size;
    own->log.length = 0;
    own->log.lines = 0;
    own->log.due_us = 0;
    own->log.flush = flush;
    own->log.format = access->format;
    own->log.headers = access->options->log_headers;
    own->log.secrets = access->options->log_secrets;
    own->log.skip = access->options->log_skip.items;
    own->log.skip_count = access->options->log_skip.count;
    own->log.counters = context->counters;
    own->log.budget = context->output.budget;
    own->log.instance = access->instance;
    memset(own->log.date, 0, sizeof(own->log.date));
    own->log.peer = (struct peer){.family = AF_UNSPEC};
    context->log = &own->log;
    context->adds_common_fields = true;
}

void access_log_withdraw(struct context *context)
{
    context->log = NULL;
    context->adds_common_fields = context->service->fields.length > 0;
}
