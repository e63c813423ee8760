/* SPDX-License-Identifier: MIT */
/* Listening sockets: opened as --listen says or taken over from systemd, named, closed, their files removed.
 */
#ifndef ECHOD_SERVER_NET_LISTENERS_H
#define ECHOD_SERVER_NET_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>

#include "server/net/listen_spec.h"
#include "server/net/socket_address.h"
#include "server/net/unix_socket.h"

#define LISTENERS_SPEC_MAX 64                       /* specifications in one list */
#define LISTENERS_MAX      (2 * LISTENERS_SPEC_MAX) /* sockets: localhost and * make two each */

/* One listening socket: a stream socket, non-blocking, close-on-exec. Over TCP it has TCP_NODELAY set, and a
 * socket accepted from it inherits that: nobody needs to set it again. */
struct listener {
    int fd;
    char name[SOCKET_ADDRESS_TEXT_SIZE]; /* as printed, with the real port: "127.0.0.1:8080", "unix:PATH" */
    struct unix_socket_file file;        /* of a unix socket that was opened here */
    bool own;                            /* opened here: nobody goes on listening on it when it is closed */
};

struct listeners {
    size_t count;
    struct listener items[LISTENERS_MAX];
};

/*
 * Opens what the count specifications (at most LISTENERS_SPEC_MAX) ask for, in their order. A port or path in
 * use is an error; a stale socket file, one that refuses to be connected to, is replaced. Where the machine
 * has no IPv6, localhost and * mean their IPv4 half. With port 0 the two sockets of localhost or * get the
 * same free port. Returns 0, or a negative errno with one line in error (of size bytes), such as "cannot
 * listen on 127.0.0.1:80: Address already in use"; then nothing is open and no file is left behind. The list
 * is overwritten: it must not hold open listeners. Main thread only.
 */
int listeners_open(struct listeners *listeners, const struct listen_spec *specs, size_t count, int backlog,
                   char *error, size_t size);

/*
 * Takes over the sockets systemd passed (LISTEN_FDS and LISTEN_PID, sd_listen_fds(3)) and removes its
 * variables from the environment, so that no child believes them. Returns how many there are, 0 if none were
 * passed to this process, or a negative errno with one line in error: a descriptor that is no listening
 * stream socket (of IPv4, IPv6 or unix) is refused, and all are closed. They win over --listen: call this
 * first, listeners_open() only if it returns 0. Their files belong to systemd and stay. The list is
 * overwritten. Main thread only, before other threads start.
 */
int listeners_inherit(struct listeners *listeners, char *error, size_t size);

/* Connections that the kernel has queued and that end with the listeners; `least`: there may be more. */
struct listeners_queue {
    unsigned long long count;
    bool least;
};
/* Main thread. */
struct listeners_queue listeners_queue(const struct listeners *listeners);
/* From now on the kernel ignores every SYN, so that a client that comes too late tries again (after a second) and is
 * refused, instead of being reset with a request on its way. Handshakes that have begun are still finished. Unix sockets,
 * and kernels without socket filters, get a queue of length 0 instead. Listeners that were passed by a service manager
 * are left as they are. Main thread. */
void listeners_admit_no_more(struct listeners *listeners);
/* Whether a connection is queued for the listening descriptor. Any thread. */
bool listener_has_queue(int fd);
/* How many; -1: that cannot be known. Any thread. */
int listener_queued(int fd);

/* Removes the files of our unix sockets, those that are still ours, so that no new client finds them; the
 * sockets stay open for what the kernel has queued. Called twice it does nothing more. */
void listeners_unlink(struct listeners *listeners);

/* listeners_unlink(), then closes all sockets and empties the list; an empty list is fine. Those that were opened here
 * listen no more from then on, even if a child that was forked a moment ago still has them open. */
void listeners_close(struct listeners *listeners);

#endif
