/* SPDX-License-Identifier: MIT */
/* Receives from and sends to a connected socket; the result is one of five outcomes. The thread that drives the
 * connection. */
#ifndef ECHOD_SERVER_NET_TRANSPORT_H
#define ECHOD_SERVER_NET_TRANSPORT_H

#include <stddef.h>

enum transport {
    TRANSPORT_MOVED, /* `length` bytes were moved */
    TRANSPORT_RETRY, /* no bytes to read or no room to write; or the socket's receive timeout has expired */
    TRANSPORT_INTERRUPTED, /* by a signal, before any byte was moved */
    TRANSPORT_END,         /* only on reading: the peer has shut down its sending side */
    TRANSPORT_ERROR,       /* the connection was reset or failed otherwise; errno says why */
};

struct transfer {
    enum transport outcome;
    size_t length; /* at least 1 with TRANSPORT_MOVED, else 0 */
};

/* Whether a call may block. The sockets themselves are in blocking mode. */
enum transport_wait { TRANSPORT_NO_WAIT, TRANSPORT_WAIT };

/* Reads up to `size` bytes (at least 1) into `room`. With TRANSPORT_WAIT it blocks until bytes arrive, a signal
 * interrupts it or the socket's receive timeout expires. */
struct transfer transport_receive(int fd, void *room, size_t size, enum transport_wait wait);
/* Discards up to `size` bytes (at least 1) that have arrived on a TCP socket, without copying them. Never blocks. */
struct transfer transport_discard(int fd, size_t size);
/* Sends up to `length` bytes (at least 1). Never blocks, never raises SIGPIPE. */
struct transfer transport_send(int fd, const void *data, size_t length);
/* How many bytes that were sent on a TCP socket its peer has not acknowledged. */
size_t transport_undelivered(int fd);
/* Makes the last close(2) of a TCP socket reset the connection: the peer gets an RST. Bytes that the peer has not
 * acknowledged may be lost. A unix socket is closed as always. */
void transport_reset(int fd);

#endif
