/* SPDX-License-Identifier: MIT */
/* The listening sockets: opened for --listen or inherited from systemd, named and closed; their files removed. The main
 * thread calls all functions, unless stated otherwise. */
#ifndef ECHOD_SERVER_NET_LISTENERS_H
#define ECHOD_SERVER_NET_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>

#include "server/net/listen_spec.h"
#include "server/net/socket_address.h"
#include "server/net/unix_socket.h"

#define LISTENERS_SPEC_MAX 64                       /* specifications in one list */
#define LISTENERS_MAX      (2 * LISTENERS_SPEC_MAX) /* sockets: localhost and * take two each */

/* One listening stream socket, non-blocking and close-on-exec. A TCP socket has TCP_NODELAY, which the sockets
 * accepted from it inherit. */
struct listener {
    int fd;
    char name[SOCKET_ADDRESS_TEXT_SIZE]; /* as printed, with the actual port: "127.0.0.1:8080", "unix:PATH" */
    struct unix_socket_file file;        /* of a unix socket that listeners_open has opened */
    bool own; /* opened by listeners_open: no other process listens on it when it is closed */
};

/* Owns its sockets, from listeners_open or listeners_inherit to listeners_close. */
struct listeners {
    size_t count;
    struct listener items[LISTENERS_MAX];
};

/* Opens the sockets for `count` specifications (at most LISTENERS_SPEC_MAX), in their order, with a queue of
 * `backlog` connections each. A port or path in use is an error. A stale socket file (connections to it are refused)
 * is replaced. On a machine without IPv6, localhost and * mean their IPv4 address only. With port 0 the two sockets
 * of localhost or * get the same free port. Blocks for up to 5 s for each unix socket, see unix_socket_listen.
 *
 * Returns 0, or a negative errno with one line in `error` (of `size` bytes), such as "cannot listen on 127.0.0.1:80:
 * Address already in use"; then no socket is open and no file is left. Overwrites the list, which must not hold open
 * sockets. */
int listeners_open(struct listeners *listeners, const struct listen_spec *specs, size_t count, int backlog,
                   char *error, size_t size);

/* Takes over the sockets that systemd has passed (LISTEN_FDS and LISTEN_PID, sd_listen_fds(3)), and removes these
 * variables from the environment, so that no child process uses them. The sockets take precedence over --listen: the
 * caller calls listeners_open only if this returns 0. Their files belong to systemd and are not removed.
 *
 * Returns the number of sockets, 0 if none were passed to this process, or -EINVAL with one line in `error` (of
 * `size` bytes) if a variable is malformed, or a descriptor is not a listening stream socket of IPv4, IPv6 or unix;
 * in the latter case all passed descriptors are closed. Overwrites the list. Before other threads start. */
int listeners_inherit(struct listeners *listeners, char *error, size_t size);

/* Connections in the queues of the kernel that are lost when the listeners are closed. */
struct listeners_queue {
    unsigned long long count;
    bool least; /* there may be more than `count` */
};
/* Returns the number of these connections. Those of inherited sockets are not lost: systemd keeps the sockets open. */
struct listeners_queue listeners_queue(const struct listeners *listeners);
/* Stops new connections. From now on the kernel ignores every SYN, so that a late client tries again (after a
 * second) and is then refused; otherwise it could be reset after it has sent a request. Handshakes that have begun
 * are completed. Where a socket filter is not permitted (containers, seccomp), the kernel ignores packets whose TTL is
 * below 255 instead. Unix sockets get a queue of length 0. Inherited sockets do not change. */
void listeners_admit_no_more(struct listeners *listeners);
/* Must be called for each socket accepted after listeners_admit_no_more, because the socket inherits the least TTL of its
 * listener. Until this call the kernel ignores the client's data, and the client sends the data again. Any thread. */
void listener_admit_data(int fd);
/* Returns the index of the listener with this descriptor, which must be in the list. */
unsigned listeners_index(const struct listeners *listeners, int fd);
/* Whether a connection waits in the queue of a listening socket. Any thread. */
bool listener_has_queue(int fd);
/* Returns how many wait; -1 if the kernel does not say (unix sockets). Any thread. */
int listener_queued(int fd);

/* Removes the files of the unix sockets that listeners_open has opened, unless another process has replaced them.
 * The sockets stay open, for the connections in their queues. A second call does nothing. */
void listeners_unlink(struct listeners *listeners);

/* Calls listeners_unlink, closes all sockets and empties the list, which may be empty. The sockets that
 * listeners_open has opened stop listening, even if a child process that was just forked still holds them. */
void listeners_close(struct listeners *listeners);

#endif
