/* SPDX-License-Identifier: MIT */
/* The protocols of a service manager: it passes sockets (sd_listen_fds(3)), and receives the state of the server
 * (sd_notify(3)). */
#ifndef ECHOD_SERVER_NET_SYSTEMD_H
#define ECHOD_SERVER_NET_SYSTEMD_H

#include <stddef.h>

/* The number of the first passed descriptor. */
#define SYSTEMD_FIRST_DESCRIPTOR 3

/* Returns the number of descriptors that were passed to this process (LISTEN_PID names it, LISTEN_FDS is their
 * number); 0 if there are none; -EINVAL with one line in `error` (of `size` bytes) if a variable is not a number or
 * LISTEN_FDS exceeds `max`. Removes the variables from the environment, so that no child process uses them. Main
 * thread, before it starts others. */
int systemd_sockets(int max, char *error, size_t size);

/* Sends `state`, "READY=1" or "STOPPING=1", to the socket that NOTIFY_SOCKET names: a path, or with @ an abstract
 * name. Blocks for up to 2 s if the queue of the service manager is full. Returns 0, also if the variable is not
 * set, or a negative errno. Main thread. */
int systemd_notify(const char *state);

/* The same, but writes a line to stderr if it fails. Main thread. */
void systemd_announce(const char *state);

#endif
