/* SPDX-License-Identifier: MIT */
/* How many sockets the environment says were passed, and that it no longer says so afterwards; messages to the manager. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "server/net/systemd.h"

#define OWN "own"

static void set(const char *name, const char *value)
{
    char pid[32];
    snprintf(pid, sizeof(pid), "%d", getpid());
    if (value != NULL) {
        setenv(name, strcmp(value, OWN) == 0 ? pid : value, 1);
    } else {
        unsetenv(name);
    }
}

Test(systemd, sockets)
{
    static const struct {
        const char *pid;
        const char *count;
        int result;
        const char *error;
    } cases[] = {
        {NULL, NULL, 0, ""},
        {OWN, NULL, 0, ""},
        {NULL, "1", 0, ""},
        {OWN, "0", 0, ""},
        {OWN, "1", 1, ""},
        {OWN, "128", 128, ""},
        {"1", "1", 0, ""},
        {"1", "nonsense", 0, ""},
        {OWN, "129", -EINVAL, "the variable LISTEN_FDS is not a number from 0 to 128"},
        {OWN, "", -EINVAL, "the variable LISTEN_FDS is not a number from 0 to 128"},
        {OWN, "-1", -EINVAL, "the variable LISTEN_FDS is not a number from 0 to 128"},
        {"me", "1", -EINVAL, "the variable LISTEN_PID is not a number from 0 to 2147483647"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char error[128] = "";
        set("LISTEN_PID", cases[i].pid);
        set("LISTEN_FDS", cases[i].count);
        set("LISTEN_FDNAMES", "web");
        set("LISTEN_PIDFDID", "1");
        cr_expect_eq(systemd_sockets(128, error, sizeof(error)), cases[i].result, "row %zu", i);
        cr_expect_str_eq(error, cases[i].error, "row %zu: %s", i, error);
        cr_expect(getenv("LISTEN_PID") == NULL && getenv("LISTEN_FDS") == NULL, "row %zu", i);
        cr_expect(getenv("LISTEN_FDNAMES") == NULL && getenv("LISTEN_PIDFDID") == NULL, "row %zu", i);
    }
}

/* A manager that listens at the name, as NOTIFY_SOCKET writes it. */
static int listen_at(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    strcpy(address.sun_path, name);
    if (name[0] == '@') {
        address.sun_path[0] = '\0';
    }
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name) + (name[0] != '@'));
    cr_assert_eq(bind(fd, (const struct sockaddr *)(const void *)&address, size), 0);
    return fd;
}

static void check_heard(const char *name)
{
    char text[64] = "";
    int fd = listen_at(name);
    setenv("NOTIFY_SOCKET", name, 1);
    cr_expect_eq(systemd_notify("READY=1"), 0, "%s", name);
    cr_expect_eq(systemd_notify("STOPPING=1"), 0, "%s", name);
    cr_expect_eq(recv(fd, text, sizeof(text), MSG_DONTWAIT), 7);
    cr_expect_str_eq(text, "READY=1");
    cr_expect_eq(recv(fd, text, sizeof(text), MSG_DONTWAIT), 10);
    cr_expect_str_eq(text, "STOPPING=1");
    close(fd);
}

Test(systemd, notify)
{
    char folder[] = "/tmp/echod-notify-XXXXXX";
    char path[64];
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/socket", folder);
    check_heard(path);
    cr_expect_eq(systemd_notify("READY=1"), -ECONNREFUSED);
    unlink(path);
    cr_expect_eq(systemd_notify("READY=1"), -ENOENT);
    rmdir(folder);
    snprintf(path, sizeof(path), "@echod-notify-%d", getpid());
    check_heard(path);
}

Test(systemd, notify_nobody)
{
    char name[200] = "/";
    unsetenv("NOTIFY_SOCKET");
    cr_expect_eq(systemd_notify("READY=1"), 0);
    setenv("NOTIFY_SOCKET", "", 1);
    cr_expect_eq(systemd_notify("READY=1"), 0);
    setenv("NOTIFY_SOCKET", "relative", 1);
    cr_expect_eq(systemd_notify("READY=1"), -EINVAL);
    memset(name + 1, 'x', 107);
    setenv("NOTIFY_SOCKET", name, 1);
    cr_expect_eq(systemd_notify("READY=1"), -EINVAL);
}
