/* SPDX-License-Identifier: MIT */
/* A connection that was accepted but is not served yet. */
#ifndef ECHOD_SERVER_NET_ACCEPTED_H
#define ECHOD_SERVER_NET_ACCEPTED_H

#include <stdint.h>

#include "common/base/peer.h"

/* A plain value. Its owner owns the descriptor; a function that takes over the connection closes it. */
struct accepted {
    int fd; /* connected, in blocking mode, close-on-exec */
    struct peer peer;
    uint64_t number; /* of the connection, from 1; the acceptor sets it */
};

enum accept_result {
    ACCEPT_DONE,
    ACCEPT_EMPTY,        /* no connection waits */
    ACCEPT_ABORTED,      /* the connection was lost before it was accepted: the next one may be accepted */
    ACCEPT_NO_RESOURCES, /* no descriptor or memory (see errno); the connection still waits */
};

/* Accepts one connection from a listening socket, without waiting if that is non-blocking. With ACCEPT_DONE, sets
 * `*accepted`, with the number 0; the caller owns the connection. Any thread. */
enum accept_result accept_connection(struct accepted *accepted, int listener);

/* Sets `*local` to the own address of a connected socket. Returns false if the system does not tell it. Any thread. */
bool accepted_local(int fd, struct peer *local);

#endif
