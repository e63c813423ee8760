/* SPDX-License-Identifier: MIT */
/* A connection that was accepted and is not served yet. */
#ifndef ECHOD_SERVER_NET_ACCEPTED_H
#define ECHOD_SERVER_NET_ACCEPTED_H

#include <stdint.h>

#include "common/base/peer.h"

/* A plain value; whoever holds it last closes the descriptor. */
struct accepted {
    int fd; /* connected, in blocking mode, close-on-exec */
    struct peer peer;
    uint64_t number; /* of the connection, from 1 */
};

enum accept_result {
    ACCEPT_DONE,
    ACCEPT_EMPTY,        /* none waits */
    ACCEPT_ABORTED,      /* that one was lost before it was accepted: go on with the next */
    ACCEPT_NO_RESOURCES, /* no descriptor or no memory for it; it goes on waiting. errno says which */
};

/* Accepts one connection from a listening socket; sets all but its number. */
enum accept_result accept_connection(struct accepted *accepted, int listener);

#endif
