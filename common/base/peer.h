/* SPDX-License-Identifier: MIT */
/* The address of a connection's client or of its own end, without the socket headers. */
#ifndef ECHOD_COMMON_BASE_PEER_H
#define ECHOD_COMMON_BASE_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A plain value, set when the connection is accepted. */
struct peer {
    uint8_t address[16]; /* network byte order; IPv4 in the first four bytes */
    uint16_t port;       /* host byte order */
    uint8_t family;      /* AF_INET, AF_INET6, AF_UNIX */
    /* Of a connection's client: the listener it came to, an index of service.listeners; and whether a header of the PROXY
     * protocol comes first. */
    uint8_t listener : 7;
    uint8_t proxied : 1;
};

enum { PEER_TEXT_SIZE = 64 };
/* Writes "192.0.2.1:80", "[2001:db8::1]:80" or "unix:" with a NUL; without the port "192.0.2.1" and "2001:db8::1".
 * Returns the length without the NUL. Any thread. */
size_t peer_format(const struct peer *peer, bool with_port, char out[PEER_TEXT_SIZE]);

#endif
