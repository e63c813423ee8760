/* SPDX-License-Identifier: MIT */
/* The header of the PROXY protocol, versions 1 and 2, by which a proxy tells the address of its client
 * (https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt). Any thread. */
#ifndef ECHOD_COMMON_BASE_PROXY_HEADER_H
#define ECHOD_COMMON_BASE_PROXY_HEADER_H

#include "common/base/peer.h"
#include "common/base/span.h"

enum {
    PROXY_HEADER_LINE_MAX = 107, /* bytes of version 1 with its CRLF: the protocol's own limit */
    PROXY_HEADER_MAX = 4096,     /* bytes of version 2 with its TLVs */
};

enum proxy_header {
    PROXY_HEADER_MORE, /* more bytes are needed */
    PROXY_HEADER_DONE,
    PROXY_HEADER_BAD, /* malformed or too long */
};

/* Reads the header at the start of `data`. With PROXY_HEADER_DONE, sets `*length` to the length of the header, and
 * address, port and family of `*peer` to those of the client if the header has them: those of TCP over IPv4 or IPv6. With
 * any other family, UNKNOWN or LOCAL the peer stays as it is. TLVs are skipped. */
enum proxy_header proxy_header_read(struct span data, struct peer *peer, size_t *length);

#endif
