/* SPDX-License-Identifier: MIT */
/* Where lines go: files, files opened anew, pipes that are full, and what is counted when they go nowhere. */
#include "server/drivers/shared/access_log.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"

enum { SIZE = 4 * LOG_LINE_MAX };

struct bench {
    struct access_log access;
    struct service service;
    struct context context;
    struct access_log_context own;
    char text[SIZE];
};

static struct bench bench;
static const struct peer peer = {.family = AF_UNIX};

static void begin(const char *path)
{
    struct options options = {.access_log = path};
    char error[256] = "";
    struct scoreboard *scoreboard = scoreboard_new(1, 1 << 20);
    bench.service = (struct service){.scoreboard = scoreboard};
    context_init(&bench.context, &bench.service, &scoreboard->counters[0], NULL, 0);
    cr_assert_eq(access_log_open(&bench.access, &options, scoreboard, error, sizeof(error)), 0, "%s", error);
    access_log_lend(&bench.access, &bench.own, &bench.context, bench.text, SIZE);
}

static void end(void)
{
    if (bench.access.fd > STDERR_FILENO) {
        close(bench.access.fd);
    }
    scoreboard_free(bench.service.scoreboard);
}

static void add(const char *target)
{
    struct log_entry entry = {.date = "Sun, 06 Nov 1994 08:49:37 GMT",
                              .peer = &peer,
                              .mode = "m",
                              .target = {target, strlen(target)},
                              .id = SPAN_LITERAL("i"),
                              .status = 200};
    log_write(&bench.own.log, &entry);
}

static uint64_t lost(void)
{
    return atomic_load(&bench.service.scoreboard->counters[0].log_lost);
}

static uint64_t written(void)
{
    return atomic_load(&bench.service.scoreboard->counters[0].log_lines);
}

/* Reads a file, or what is in a pipe now; all lines are whole, and it counts those that hold the text. */
static unsigned count(int fd, const char *text)
{
    static char bytes[1 << 20];
    size_t length = 0;
    struct pollfd more = {.fd = fd, .events = POLLIN};
    ssize_t piece;
    while (poll(&more, 1, 0) > 0 && (piece = read(fd, bytes + length, sizeof(bytes) - 1 - length)) > 0) {
        length += (size_t)piece;
    }
    bytes[length] = '\0';
    unsigned found = 0;
    for (char *line = bytes, *newline; *line != '\0'; line = newline + 1) {
        newline = strchr(line, '\n');
        cr_assert_not_null(newline, "torn: %s", line);
        *newline = '\0';
        cr_expect(strncmp(line, "unix: - - [", 11) == 0 && strcmp(newline - 7, "0 m 0 i") == 0, "torn: %s",
                  line);
        found += strstr(line, text) != NULL;
    }
    return found;
}

static unsigned count_in(const char *path, const char *text)
{
    int fd = open(path, O_RDONLY);
    cr_assert_geq(fd, 0, "%s", path);
    unsigned found = count(fd, text);
    close(fd);
    return found;
}

Test(access_log, off)
{
    begin(NULL);
    cr_expect_null(bench.context.log);
    cr_expect_not(bench.context.adds_common_fields);
    access_log_flush(&bench.context);
    access_log_end(&bench.context, 0);
    access_log_reopen(&bench.access);
    end();
}

Test(access_log, cannot_open)
{
    struct options options = {.access_log = "/nowhere/log"};
    struct access_log access;
    char error[256] = "";
    cr_expect_eq(access_log_open(&access, &options, NULL, error, sizeof(error)), -ENOENT);
    cr_expect_str_eq(error, "cannot open the access log /nowhere/log: No such file or directory");
}

/* Lines go to the new file from the moment of the signal on; those of another process too, once it writes. */
static void rotate(bool child)
{
    char folder[] = "/tmp/echod-log-XXXXXX";
    char path[64];
    char old[64];
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/log", folder);
    snprintf(old, sizeof(old), "%s/old", folder);
    begin(path);
    bench.access.child = child;
    add("/one");
    access_log_flush(&bench.context);
    rename(path, old);
    add("/two");
    if (child) {
        atomic_fetch_add(&bench.service.scoreboard->log_generation, 1); /* what the parent does */
    } else {
        int before = bench.access.fd;
        access_log_reopen(&bench.access);
        cr_expect_eq(bench.access.fd, before);
        cr_expect_eq(atomic_load(&bench.service.scoreboard->log_generation), 1);
    }
    access_log_end(&bench.context, 0);
    cr_expect_eq(count_in(old, "/one"), 1);
    cr_expect_eq(count_in(path, "/two"), 1);
    cr_expect(written() == 2 && lost() == 0);
    end();
    unlink(path);
    unlink(old);
    rmdir(folder);
}

Test(access_log, rotation)
{
    rotate(false);
    rotate(true);
}

/* A pipe that is full takes nothing and holds nothing up; once it is read again what was kept is there, whole. */
static void fill(enum access_log_kind kind)
{
    int ends[2];
    char path[64];
    cr_assert_eq(pipe(ends), 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[1]);
    begin(path);
    cr_expect_eq(bench.access.kind, ACCESS_LOG_PIPE);
    if (kind == ACCESS_LOG_POLLED) {
        close(bench.access.fd);
        bench.access.fd = dup(ends[1]);
        bench.access.kind = kind;
        cr_assert_eq(fcntl(bench.access.fd, F_GETFL) & O_NONBLOCK, 0);
    }
    unsigned added = 0;
    while (lost() < 10) {
        add("/some");
        added++;
    }
    cr_expect_gt(added, 1000);
    unsigned found = count(ends[0], "/some");
    bench.own.retry_us = 0;
    access_log_end(&bench.context, 0);
    found += count(ends[0], "/some");
    cr_expect_eq(found, written());
    cr_expect_eq(found + lost(), added);
    end();
    close(ends[0]);
    close(ends[1]);
}

Test(access_log, full_pipe)
{
    fill(ACCESS_LOG_PIPE);
    fill(ACCESS_LOG_POLLED);
}

/* Nobody reads it at the end: what is left is counted, after a wait that is not repeated. */
Test(access_log, end_without_reader)
{
    int ends[2];
    char path[64];
    cr_assert_eq(pipe(ends), 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[1]);
    begin(path);
    while (lost() == 0) {
        add("/some");
    }
    access_log_end(&bench.context, 1);
    cr_expect(atomic_load(&bench.service.scoreboard->log_jammed));
    cr_expect_eq(bench.own.log.length, 0);
    uint64_t before = clock_ms();
    add("/last");
    access_log_end(&bench.context, 60000);
    cr_expect_lt(clock_ms() - before, 50000);
    cr_expect_gt(lost(), 2);
    end();
    close(ends[0]);
    close(ends[1]);
}

/* A device that is always full does not make the end go round for ever. */
Test(access_log, full_device)
{
    begin("/dev/full");
    add("/some");
    add("/more");
    access_log_end(&bench.context, 60000);
    cr_expect(written() == 0 && lost() == 2);
    end();
}

/* Behind a line of which only a part was written, the next begins on a line of its own. */
Test(access_log, torn)
{
    char path[] = "/tmp/echod-log-XXXXXX";
    char text[256] = "";
    int fd = mkstemp(path);
    begin(path);
    cr_assert_eq(write(fd, "unix: - - [06", 13), 13);
    atomic_store(&bench.service.scoreboard->log_torn, true);
    add("/whole");
    access_log_flush(&bench.context);
    cr_expect_not(atomic_load(&bench.service.scoreboard->log_torn));
    cr_expect_gt(pread(fd, text, sizeof(text) - 1, 0), 13);
    cr_expect_eq(strncmp(text, "unix: - - [06\nunix: - - [06/Nov/1994", 36), 0, "%s", text);
    end();
    unlink(path);
    close(fd);
}

/* A disk that is full in the middle of a line: that line is lost, and each other line is counted once. */
Test(access_log, torn_by_a_full_disk)
{
    char path[] = "/tmp/echod-log-XXXXXX";
    int fd = mkstemp(path);
    begin(path);
    for (int i = 0; i < 3; i++) {
        add("/some");
    }
    size_t line = bench.own.log.length / 3;
    struct rlimit before;
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit full = {.rlim_cur = line + line / 2, .rlim_max = before.rlim_max};
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &full), 0);
    access_log_flush(&bench.context);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    cr_expect(written() == 1 && lost() == 1, "%u written, %u lost", (unsigned)written(), (unsigned)lost());
    bench.own.retry_us = 0;
    access_log_end(&bench.context, 0);
    cr_expect(written() == 2 && lost() == 1, "%u written, %u lost", (unsigned)written(), (unsigned)lost());
    end();
    unlink(path);
    close(fd);
}

/* A pipe with room for a part of the lines only takes whole ones. */
Test(access_log, no_line_is_torn_by_a_pipe)
{
    enum { PIPE_SIZE = 8192, TAKEN = 3000, LINES = 7000 };
    static const char taken[TAKEN];
    int ends[2];
    char path[64];
    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(fcntl(ends[1], F_SETPIPE_SZ, PIPE_SIZE), PIPE_SIZE);
    cr_assert_eq(write(ends[1], taken, TAKEN), TAKEN);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[1]);
    begin(path);
    while (bench.own.log.length < LINES) {
        add("/some");
    }
    access_log_flush(&bench.context);
    cr_expect_not(atomic_load(&bench.service.scoreboard->log_torn));
    end();
    close(ends[0]);
    close(ends[1]);
}

/* As a service manager's standard output is: a stream of bytes, in pieces that arrive whole. */
Test(access_log, socket)
{
    int ends[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    begin("/dev/null");
    close(bench.access.fd);
    bench.access.fd = ends[1];
    bench.access.kind = ACCESS_LOG_SOCKET;
    unsigned added = 0;
    while (lost() == 0) {
        add("/some");
        added++;
    }
    unsigned found = count(ends[0], "/some");
    access_log_end(&bench.context, 0);
    found += count(ends[0], "/some");
    cr_expect_eq(found + lost(), added);
    end();
    close(ends[0]);
}
