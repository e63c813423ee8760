/* SPDX-License-Identifier: MIT */
/* The file of a listening unix socket: made, found stale, recognised as ours, removed. */
#ifndef ECHOD_SERVER_NET_UNIX_SOCKET_H
#define ECHOD_SERVER_NET_UNIX_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>

/* Which file it is, whatever its path may mean by now. */
struct unix_socket_file {
    bool ours; /* it was made here and is not removed yet */
    dev_t device;
    ino_t inode;
};

/*
 * Binds the socket to the path (which fits a struct sockaddr_un), listens, and notes in *file which file that made. A
 * socket file that is in the way and refuses to be connected to is stale and replaced. Returns 0 or a negative errno,
 * then no file is left behind: -EADDRINUSE where somebody listens, -ENOTSOCK where something else than a socket has
 * that path.
 *
 * Of servers that start at the same moment one listens and the others get -EADDRINUSE: whoever looks at the path or
 * binds to it holds a lock on its directory until it listens. The lock is no file, and ends with its process. It is
 * awaited for 5 s at most; without it (or where a directory cannot be locked) nothing is replaced.
 */
int unix_socket_listen(int fd, const char *path, int backlog, struct unix_socket_file *file);

/*
 * Removes the file at the path if it is still ours. The socket must be open yet: while it is, the file's
 * inode cannot be given to another, so that a file somebody put there instead is told apart.
 */
void unix_socket_unlink(const char *path, struct unix_socket_file *file);

#endif
