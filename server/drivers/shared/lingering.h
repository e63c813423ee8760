/* SPDX-License-Identifier: MIT */
/* The lingering close (RFC 9112, 9.6): the sending side is shut down, and the bytes that the peer still sends are
 * discarded. An immediate close would send an RST, which can destroy the last answer before the peer has read it.
 * The close is limited in time, never in bytes, because it exists for clients that send much, such as 70 MB, before
 * they read. */
#ifndef ECHOD_SERVER_DRIVERS_SHARED_LINGERING_H
#define ECHOD_SERVER_DRIVERS_SHARED_LINGERING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LINGER_QUIET_MS = 2000,        /* reading ends after so long without a byte */
    LINGER_WHOLE_MS = 30000,       /* reading ends in any case: a slow peer cannot hold its place for ever */
    LINGER_UNREAD_MS = 500,        /* after either: the socket stays open for so long, but is not read */
    LINGER_GIVES_WAY_MS = 500,     /* after so long a connection closes if a new one waits for its place */
    LINGER_POLL_INTERVAL_MS = 100, /* how often its driver checks whether a new one waits */
    LINGER_READ_SIZE = 1 << 20,    /* bytes discarded by one read on TCP, which does not copy them */
};

/* A plain value; times are milliseconds of clock_ms. */
struct lingering {
    uint64_t began;
    uint64_t quiet_since; /* when the last bytes arrived; with `unread`: when the reading ended */
    uint32_t whole_ms;
    bool truncates; /* TCP: the kernel discards bytes without copying them */
    bool unread;    /* the socket is no longer read */
};

/* The thread that drives the connection calls all functions; none blocks. The caller owns the socket. */

/* For a connected socket that is to be read for up to `whole_ms`. The caller counts the connection as lingering, and then
 * calls lingering_shut_down. */
struct lingering lingering_begin(int fd, uint64_t now, uint32_t whole_ms);
/* Shuts down the sending side of the socket. A client that sees it may connect again at once, and must find that this
 * connection gives way. */
void lingering_shut_down(int fd);

/* Returns the time at which lingering_advance must be called if no bytes arrive earlier. */
uint64_t lingering_deadline(const struct lingering *lingering);

/* Call when bytes may have arrived (`readable`) and at the deadline. Discards bytes with one read; at the deadline,
 * ends the reading. `room`, of `size` bytes, receives the bytes of a socket that is not TCP. Returns false if the
 * caller must close the socket now: the peer has closed its side or has reset the connection, or the time is over. */
bool lingering_advance(struct lingering *lingering, int fd, bool readable, void *room, size_t size,
                       uint64_t now);

/* Whether the connection has lingered for so long that it closes if a new one waits for its place. */
bool lingering_may_give_way(const struct lingering *lingering, uint64_t now);

#endif
