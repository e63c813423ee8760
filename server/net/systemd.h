/* SPDX-License-Identifier: MIT */
/* What a service manager passes in the environment: sockets (sd_listen_fds(3)), and where to tell it how things stand
 * (sd_notify(3)). */
#ifndef ECHOD_SERVER_NET_SYSTEMD_H
#define ECHOD_SERVER_NET_SYSTEMD_H

#include <stddef.h>

/* The passed descriptors are numbered from here. */
#define SYSTEMD_FIRST_DESCRIPTOR 3

/*
 * Reads how many descriptors were passed to this process (LISTEN_PID names it, LISTEN_FDS counts them), at
 * most max, and removes the variables, so that no child believes them. Returns the number, 0 if there are
 * none, or -EINVAL with one line in error (of size bytes). Changes the environment: before other threads
 * start.
 */
int systemd_sockets(int max, char *error, size_t size);

/* Tells the service manager, if there is one that listens (NOTIFY_SOCKET, a path or with @ an abstract name): "READY=1",
 * "STOPPING=1". 0, also where nobody is to be told, or a negative errno. Main thread. */
int systemd_notify(const char *state);

/* The same, with a line on stderr if it fails. Main thread. */
void systemd_announce(const char *state);

#endif
