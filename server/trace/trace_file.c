/* SPDX-License-Identifier: MIT */
/* Names, threads and renames; the text is trace_json.c's. */
#include "server/trace/trace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/trace.h"
#include "server/net/warn.h"
#include "server/trace/trace_json.h"

enum { OUTPUT_BUFFER = 256 * 1024, LOWEST_PRIORITY = 19 };

struct names {
    char final[PATH_MAX];
    char part[PATH_MAX];
};

/* Those of the file, or of a snapshot. False if they are too long. */
static bool make_names(struct names *names, const char *path, unsigned snapshot)
{
    int length = snapshot == 0 ? snprintf(names->final, sizeof names->final, "%s", path)
                               : snprintf(names->final, sizeof names->final, "%s.%u", path, snapshot);
    return length + (int)sizeof ".part" <= PATH_MAX &&
           snprintf(names->part, sizeof names->part, "%s.part", names->final) > 0;
}

/* A device or a pipe under this name would be replaced by the file. */
static bool may_be_replaced(const char *path)
{
    struct stat status;
    return lstat(path, &status) != 0 || S_ISREG(status.st_mode);
}

/* Returns a descriptor, or a negative errno. */
static int create(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0644);
    return fd < 0 ? -errno : fd;
}

/* Whether the name is still that of the open file. */
static bool is_named(int fd, const char *path)
{
    struct stat file;
    struct stat found;
    return fstat(fd, &file) == 0 && lstat(path, &found) == 0 && file.st_dev == found.st_dev &&
           file.st_ino == found.st_ino;
}

/* The same, locked and empty. Another server that has the lock may rename the file just now: then there is a new one. */
static int create_locked(const char *path)
{
    int fd;
    while ((fd = create(path)) >= 0) {
        int error = flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : -errno;
        if (error == 0 && is_named(fd, path)) {
            error = ftruncate(fd, 0) == 0 ? 0 : -errno;
            if (error == 0) {
                return fd;
            }
        }
        close(fd);
        if (error != 0) {
            return error;
        }
    }
    return fd;
}

int trace_file_open(struct trace_file *file, const char *path, const char *mode, const char *version,
                    uint64_t memory, char *error, size_t size)
{
    struct names names;
    *file = (struct trace_file){.path = path, .mode = mode, .version = version, .fd = -1};
    if (path == NULL) {
        return 0;
    }
    int result = !make_names(&names, path, 0) ? -ENAMETOOLONG : 0;
    if (result == 0 && !may_be_replaced(path)) {
        snprintf(error, size, "cannot write the trace to %s: it is not a regular file", path);
        return -EINVAL;
    }
    if (result == 0) {
        result = create_locked(names.part);
    }
    if (result < 0) {
        snprintf(error, size, "cannot open the trace %s: %s", path,
                 result == -EWOULDBLOCK ? "another server writes it" : strerror(-result));
        return result;
    }
    file->fd = result;
    result = trace_init(memory);
    if (result != 0) {
        snprintf(error, size, "cannot trace: no memory for --trace-buffer: %s", strerror(-result));
        trace_file_abandon(file);
    }
    return result;
}

/* Writes the text, and gives the file its name. Closes `fd`. Returns 0 or a negative errno. */
static int write_and_rename(struct trace_file *file, int fd, const struct names *names)
{
    FILE *out = fdopen(fd, "w");
    if (out == NULL) {
        int error = -errno;
        close(fd);
        return error;
    }
    char *buffer = malloc(OUTPUT_BUFFER);
    if (buffer != NULL) {
        setvbuf(out, buffer, _IOFBF, OUTPUT_BUFFER);
    }
    int error = trace_json_write(out, file->mode, file->version);
    if (error == 0 && fflush(out) != 0) {
        error = -errno;
    }
    if (error == 0 && (!is_named(fd, names->part) || !may_be_replaced(names->final))) {
        error = -EEXIST;
    }
    atomic_store(&file->writing, false); /* who sees the file may ask for the next one */
    if (error == 0 && rename(names->part, names->final) != 0) {
        error = -errno;
    }
    if (error != 0 && is_named(fd, names->part)) {
        unlink(names->part);
    }
    fclose(out); /* all is written */
    free(buffer);
    return error;
}

/* The thread that writes. */
static void *writer_main(void *arg)
{
    struct trace_file *file = arg;
    struct names names;
    int error = make_names(&names, file->path, file->snapshot) ? 0 : -ENAMETOOLONG;
    int fd = file->fd;
    if (file->snapshot != 0) {
        setpriority(PRIO_PROCESS, (id_t)gettid(), LOWEST_PRIORITY);
        fd = error == 0 ? create_locked(names.part) : error;
    }
    error = fd < 0 ? fd : write_and_rename(file, fd, &names);
    if (error != 0) {
        warn("cannot write the trace to %s: %s", names.final, strerror(-error));
    }
    file->written = error == 0;
    atomic_store(&file->writing, false);
    return NULL;
}

static void join(struct trace_file *file)
{
    if (file->has_thread) {
        pthread_join(file->thread, NULL);
        file->has_thread = false;
    }
}

/* Returns 0 or an errno. */
static int start_writer(struct trace_file *file, unsigned snapshot)
{
    sigset_t all;
    sigset_t before;
    join(file);
    file->snapshot = snapshot;
    atomic_store(&file->writing, true);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&file->thread, NULL, writer_main, file);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    file->has_thread = error == 0;
    if (error != 0) {
        atomic_store(&file->writing, false);
    }
    return error;
}

void trace_file_snapshot(struct trace_file *file)
{
    if (file->path == NULL) {
        return;
    }
    if (atomic_load(&file->writing)) {
        warn("no trace for this signal: %s.%u is still being written", file->path, file->snapshots);
        return;
    }
    file->snapshots++;
    int error = start_writer(file, file->snapshots);
    if (error != 0) {
        warn("cannot write the trace to %s.%u: no thread: %s", file->path, file->snapshots, strerror(error));
    }
}

/* Until the thread has written, or a signal ends the process. */
static void await_writer(struct trace_file *file)
{
    static const struct timespec moment = {.tv_nsec = 20000000};
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    while (atomic_load(&file->writing)) {
        int number = sigtimedwait(&ends, NULL, &moment);
        if (number > 0) {
            trace_file_abandon(file);
            _exit(128 + number);
        }
    }
    join(file);
}

bool trace_file_finish(struct trace_file *file)
{
    if (file->path == NULL) {
        return true;
    }
    await_writer(file);
    if (start_writer(file, 0) != 0) {
        atomic_store(&file->writing, true);
        writer_main(file); /* without a thread no signal ends it */
    }
    await_writer(file);
    file->fd = -1;
    return file->written;
}

void trace_file_abandon(struct trace_file *file)
{
    struct names names;
    if (file->fd >= 0 && make_names(&names, file->path, 0) && is_named(file->fd, names.part)) {
        unlink(names.part);
    }
    if (file->path != NULL && atomic_load(&file->writing) && file->snapshot != 0 &&
        make_names(&names, file->path, file->snapshot)) {
        unlink(names.part);
    }
}
