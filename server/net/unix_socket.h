/* SPDX-License-Identifier: MIT */
/* The file of a listening unix socket: created, replaced if stale, removed. Main thread. */
#ifndef ECHOD_SERVER_NET_UNIX_SOCKET_H
#define ECHOD_SERVER_NET_UNIX_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>

/* Identifies the file, even if its path leads to another file later. */
struct unix_socket_file {
    bool ours; /* unix_socket_listen has created it, and it is not removed yet */
    dev_t device;
    ino_t inode;
};

/* Binds the socket to `path`, which must fit a struct sockaddr_un, listens with a queue of `backlog` connections,
 * and sets *file to the file that was created. A socket file at the path is replaced if it is stale, that is, if it
 * refuses connections. Returns 0 or a negative errno, after which no file of this call is left: -EADDRINUSE if
 * another process listens there, -ENOTSOCK if the file at the path is not a socket.
 *
 * If several servers start at the same time, one listens and the others get -EADDRINUSE: each holds a lock
 * (flock(2)) on the directory from before it binds until it listens. The lock creates no file and ends with the
 * process. The function waits for it for up to 5 s. If it does not get the lock it replaces no file. */
int unix_socket_listen(int fd, const char *path, int backlog, struct unix_socket_file *file);

/* Removes the file at the path if it is still the one in *file, and forgets it. The socket must still be open: until
 * it is closed no other file can get the same inode, so a file that replaced this one is recognized. */
void unix_socket_unlink(const char *path, struct unix_socket_file *file);

#endif
