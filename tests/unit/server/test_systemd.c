/* SPDX-License-Identifier: MIT */
/* How many sockets the environment says were passed, and that it no longer says so afterwards. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/systemd.h"

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
        {OWN, "129", -EINVAL, "the variable LISTEN_FDS is no number from 0 to 128"},
        {OWN, "", -EINVAL, "the variable LISTEN_FDS is no number from 0 to 128"},
        {OWN, "-1", -EINVAL, "the variable LISTEN_FDS is no number from 0 to 128"},
        {"me", "1", -EINVAL, "the variable LISTEN_PID is no number from 0 to 2147483647"},
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
