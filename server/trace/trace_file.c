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
#include <sys/resource.h>
#include <sys/stat.h>
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
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0644);
    return fd < 0 ? -errno : fd;
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
        result = create(names.part);
    }
    if (result < 0) {
        snprintf(error, size, "cannot open the trace %s: %s", path, strerror(-result));
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

/* Closes `fd`. Returns 0 or a negative errno. */
static int write_json(const struct trace_file *file, int fd)
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
    if (fclose(out) != 0 && error == 0) {
        error = -errno;
    }
    free(buffer);
    return error;
}

/* Takes `fd`, or a negative errno in its place. */
static bool write_file(const struct trace_file *file, unsigned snapshot, int fd)
{
    struct names names;
    int error = fd < 0 ? fd : 0;
    make_names(&names, file->path, snapshot);
    if (error == 0) {
        error = write_json(file, fd);
    }
    if (error == 0 && rename(names.part, names.final) != 0) {
        error = -errno;
    }
    if (error != 0) {
        unlink(names.part);
        warn("cannot write the trace to %s: %s", names.final, strerror(-error));
    }
    return error == 0;
}

static void *snapshot_main(void *arg)
{
    struct trace_file *file = arg;
    struct names names;
    setpriority(PRIO_PROCESS, (id_t)gettid(), LOWEST_PRIORITY);
    int fd = make_names(&names, file->path, file->snapshots) ? create(names.part) : -ENAMETOOLONG;
    write_file(file, file->snapshots, fd);
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

void trace_file_snapshot(struct trace_file *file)
{
    sigset_t all;
    sigset_t before;
    if (file->path == NULL) {
        return;
    }
    if (atomic_load(&file->writing)) {
        warn("no trace for this signal: %s.%u is still being written", file->path, file->snapshots);
        return;
    }
    join(file);
    file->snapshots++;
    atomic_store(&file->writing, true);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&file->thread, NULL, snapshot_main, file);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    file->has_thread = error == 0;
    if (error != 0) {
        atomic_store(&file->writing, false);
        warn("cannot write the trace to %s.%u: no thread: %s", file->path, file->snapshots, strerror(error));
    }
}

bool trace_file_finish(struct trace_file *file)
{
    if (file->path == NULL) {
        return true;
    }
    join(file);
    int fd = file->fd;
    file->fd = -1;
    return write_file(file, 0, fd);
}

void trace_file_abandon(struct trace_file *file)
{
    struct names names;
    if (file->fd >= 0 && make_names(&names, file->path, 0)) {
        close(file->fd);
        file->fd = -1;
        unlink(names.part);
    }
}
