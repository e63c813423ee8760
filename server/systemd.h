/* SPDX-License-Identifier: MIT */
/* What a service manager passes in the environment: sockets (sd_listen_fds(3)). */
#ifndef ECHOD_SERVER_SYSTEMD_H
#define ECHOD_SERVER_SYSTEMD_H

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

#endif
