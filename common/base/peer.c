/* SPDX-License-Identifier: MIT */
/* A peer's address as text. */
#include "common/base/peer.h"

#include <arpa/inet.h>
#include <stdio.h>

size_t peer_format(const struct peer *peer, bool with_port, char out[PEER_TEXT_SIZE])
{
    char address[INET6_ADDRSTRLEN] = "";
    int length = 0;
    switch (peer->family) {
    case AF_INET:
        inet_ntop(AF_INET, peer->address, address, sizeof address);
        length = with_port ? snprintf(out, PEER_TEXT_SIZE, "%s:%u", address, peer->port)
                           : snprintf(out, PEER_TEXT_SIZE, "%s", address);
        break;
    case AF_INET6:
        inet_ntop(AF_INET6, peer->address, address, sizeof address);
        length = with_port ? snprintf(out, PEER_TEXT_SIZE, "[%s]:%u", address, peer->port)
                           : snprintf(out, PEER_TEXT_SIZE, "%s", address);
        break;
    default: length = snprintf(out, PEER_TEXT_SIZE, "unix:"); break;
    }
    return (size_t)length;
}
