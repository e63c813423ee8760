/* SPDX-License-Identifier: MIT */
/* The lingering close (RFC 9112, 9.6): the sending side is shut down, and what the peer still sends is discarded, because
 * closing at once would send an RST that can destroy the last answer on its way. It is bounded in time, never in bytes: a
 * client that sends 70 MB before it reads is the client that it is for. */
#ifndef ECHOD_SERVER_DRIVERS_SHARED_LINGERING_H
#define ECHOD_SERVER_DRIVERS_SHARED_LINGERING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LINGER_QUIET_MS = 2000,        /* without a byte */
    LINGER_WHOLE_MS = 30000,       /* in all: a peer that trickles does not hold a place for ever */
    LINGER_UNREAD_MS = 500,        /* after either of both: half closed, and no longer read */
    LINGER_GIVES_WAY_MS = 500,     /* from then on a connection closes for one that waits for its place */
    LINGER_POLL_INTERVAL_MS = 100, /* how often its driver looks whether one waits */
    LINGER_READ_SIZE = 1 << 20,    /* discarded at once where that copies nothing */
};

/* A plain value; times are milliseconds of clock_ms. */
struct lingering {
    uint64_t began;
    uint64_t quiet_since; /* when the last bytes came; once it is no longer read: when that began */
    uint32_t whole_ms;
    bool truncates; /* TCP: the kernel discards without copying */
    bool unread;    /* no longer read */
};

/* Shuts down the sending side of the connected socket. It is read for `whole_ms` at most. */
struct lingering lingering_begin(int fd, uint64_t now, uint32_t whole_ms);

/* When lingering_advance is to be called, if nothing comes before. */
uint64_t lingering_deadline(const struct lingering *lingering);

/* Bytes have come, or may have (`readable`), or the deadline has: discards with one read, and moves on from being read
 * to being no longer read. `room` is written to where the kernel cannot discard by itself. False if the socket is to be
 * closed: the peer has closed its side or is gone, or all of the time is over. Never blocks. */
bool lingering_advance(struct lingering *lingering, int fd, bool readable, void *room, size_t size,
                       uint64_t now);

/* Whether it has lingered for long enough to give its place to a connection that waits for one. */
bool lingering_may_give_way(const struct lingering *lingering, uint64_t now);

#endif
