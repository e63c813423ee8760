/* SPDX-License-Identifier: MIT */
/* The lingering close (RFC 9112, 9.6): after the sending side is shut down, what the peer still sends is read and
 * thrown away for a while, because closing at once would send an RST that can destroy the last answer on its way. */
#ifndef ECHOD_SERVER_LINGERING_H
#define ECHOD_SERVER_LINGERING_H

#include <stdbool.h>
#include <stdint.h>

enum {
    LINGER_LEAST_MS = 500,           /* before it gives way to a connection that waits for its place */
    LINGER_QUIET_MS = 2000,          /* without a byte */
    LINGER_WHOLE_MS = 10000,         /* in all: a peer that trickles does not hold a descriptor for ever */
    LINGER_BYTES_MOST = 1024 * 1024, /* in all: nor make the server read for nothing */
};

/* A plain value; times are milliseconds of one clock, whichever the driver uses. */
struct lingering {
    uint64_t began;
    uint64_t heard; /* when the last bytes came */
    uint64_t bytes;
};

struct lingering lingering_begin(uint64_t now);
/* `bytes` more were thrown away; false if that is enough. */
bool lingering_hear(struct lingering *lingering, uint64_t now, uint64_t bytes);
/* When it is over if nothing comes. */
uint64_t lingering_deadline(const struct lingering *lingering);

#endif
