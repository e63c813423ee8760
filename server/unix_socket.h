/* SPDX-License-Identifier: MIT */
/* The file of a listening unix socket: made, found stale, recognised as ours, removed. */
#ifndef ECHOD_SERVER_UNIX_SOCKET_H
#define ECHOD_SERVER_UNIX_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>

/* Which file it is, whatever its path may mean by now. */
struct unix_socket_file {
    bool ours; /* it was made here and is not removed yet */
    dev_t device;
    ino_t inode;
};

/*
 * Binds the socket to the path (which fits a struct sockaddr_un) and notes in *file which file that made. A
 * socket file that is in the way and refuses to be connected to is stale and replaced. Returns 0 or a
 * negative errno: -EADDRINUSE where somebody listens, -ENOTSOCK where something else than a socket has that
 * path. Two servers that start in the same moment on one stale path are not kept apart.
 */
int unix_socket_bind(int fd, const char *path, struct unix_socket_file *file);

/*
 * Removes the file at the path if it is still ours. The socket must be open yet: while it is, the file's
 * inode cannot be given to another, so that a file somebody put there instead is told apart.
 */
void unix_socket_unlink(const char *path, struct unix_socket_file *file);

#endif
