/* SPDX-License-Identifier: MIT */
/* Reads what a service manager passes in the environment. */
#include "server/systemd.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/number.h"

static bool read_number(const char *name, const char *text, uint64_t max, uint64_t *value, char *error,
                        size_t size)
{
    if (number_parse_u64(text, strlen(text), max, value) == 0) {
        return true;
    }
    snprintf(error, size, "the variable %s is no number from 0 to %llu", name, (unsigned long long)max);
    return false;
}

static int read_count(int max, char *error, size_t size)
{
    uint64_t pid;
    uint64_t count;
    const char *pid_text = getenv("LISTEN_PID");
    const char *count_text = getenv("LISTEN_FDS");
    if (pid_text == NULL || count_text == NULL) {
        return 0;
    }
    if (!read_number("LISTEN_PID", pid_text, INT32_MAX, &pid, error, size)) {
        return -EINVAL;
    }
    if (pid != (uint64_t)getpid()) {
        return 0;
    }
    return read_number("LISTEN_FDS", count_text, (uint64_t)max, &count, error, size) ? (int)count : -EINVAL;
}

int systemd_sockets(int max, char *error, size_t size)
{
    static const char *const variables[] = {"LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDS", "LISTEN_FDNAMES"};
    int count = read_count(max, error, size);
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        unsetenv(variables[i]);
    }
    return count;
}
