/* SPDX-License-Identifier: MIT */
/* Bytes to and from a connected socket, the outcome as one of five. */
#ifndef ECHOD_SERVER_NET_TRANSPORT_H
#define ECHOD_SERVER_NET_TRANSPORT_H

#include <stddef.h>

enum transport {
    TRANSPORT_MOVED, /* `length` bytes */
    TRANSPORT_RETRY, /* nothing to read or no room to write; or the socket's receive timeout has run out */
    TRANSPORT_INTERRUPTED, /* by a signal, before anything was moved */
    TRANSPORT_END,         /* the peer has sent its last byte */
    TRANSPORT_ERROR,       /* reset, or otherwise beyond repair */
};

struct transfer {
    enum transport outcome;
    size_t length; /* at least 1 with TRANSPORT_MOVED, else 0 */
};

/* Whether a call may block; the sockets themselves are all in blocking mode. */
enum transport_wait { TRANSPORT_NO_WAIT, TRANSPORT_WAIT };

struct transfer transport_receive(int fd, void *room, size_t size, enum transport_wait wait);
/* Throws away what has come on a TCP socket, at most `size` bytes, without copying it. Never blocks. */
struct transfer transport_discard(int fd, size_t size);
/* Never blocks, never raises SIGPIPE. */
struct transfer transport_send(int fd, const void *data, size_t length);

#endif
