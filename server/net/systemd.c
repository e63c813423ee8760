/* SPDX-License-Identifier: MIT */
/* Reads the variables of a service manager, and sends it its messages, one datagram each. */
#include "server/net/systemd.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/number.h"
#include "server/net/warn.h"

static bool read_number(const char *name, const char *text, uint64_t max, uint64_t *value, char *error,
                        size_t size)
{
    if (number_parse_u64(text, strlen(text), max, value) == 0) {
        return true;
    }
    snprintf(error, size, "the variable %s is not a number from 0 to %llu", name, (unsigned long long)max);
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

static int send_state(const struct sockaddr_un *address, socklen_t size, const char *state)
{
    /* A manager whose queue is full gets some time to read it. READY=1 is sent before any connection is served. */
    static const struct timeval timeout = {.tv_sec = 2};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -errno;
    }
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
    ssize_t sent =
        sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)(const void *)address, size);
    int error = sent < 0 ? -errno : 0;
    close(fd);
    return error;
}

int systemd_notify(const char *state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *name = getenv("NOTIFY_SOCKET");
    if (name == NULL || name[0] == '\0') {
        return 0;
    }
    size_t length = strlen(name);
    bool abstract = name[0] == '@';
    if ((!abstract && name[0] != '/') || length >= sizeof(address.sun_path)) {
        return -EINVAL;
    }
    memcpy(address.sun_path, name, length);
    if (abstract) {
        address.sun_path[0] = '\0'; /* its length does not include a NUL at the end */
    }
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + !abstract);
    return send_state(&address, size, state);
}

void systemd_announce(const char *state)
{
    int error = systemd_notify(state);
    if (error != 0) {
        warn("cannot send %s to the service manager: %s", state, strerror(-error));
    }
}
