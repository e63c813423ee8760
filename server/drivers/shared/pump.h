/* SPDX-License-Identifier: MIT */
/* One pass through a session: it is told of an I/O event, and what it answers is sent. The same in every driver. */
#ifndef ECHOD_SERVER_DRIVERS_SHARED_PUMP_H
#define ECHOD_SERVER_DRIVERS_SHARED_PUMP_H

#include <stdbool.h>

#include "common/session/session.h"

enum io_event {
    IO_DATA,     /* some were read */
    IO_EOF,      /* the peer has sent its last byte */
    IO_WRITABLE, /* the socket takes bytes again */
    IO_TIMEOUT,  /* the session's timer has run out */
    IO_RESUMED,  /* its wait or its work is over */
    IO_REJECTED, /* its work cannot be done now */
    IO_SHUTDOWN, /* the server drains */
};

/* A pass sends at most so often and so much (and one send more), then leaves the rest to the next pass, for the sake of
 * the other connections of its loop and of what there is to read. */
enum { PUMP_SENDS_MAX = 16, PUMP_BYTES_MAX = 1024 * 1024 };

/* `bytes` are those read, empty but with IO_DATA. Keeps the context's date, its clock and its counts of bytes.
 * False if the connection is broken: then only session_deinit is left to do. The thread that drives the connection and
 * owns the context. */
bool session_pump(struct session *session, struct context *context, int fd, enum io_event event,
                  struct span bytes);

/* The drain timeout is over and the session is not idle: counts its connection as cut off and logs its request. Then it
 * is closed without lingering. The same thread. */
void pump_cut_off(struct session *session, struct context *context);

/* How many bytes to read at most where `size` have room: few while memory is so short that they might not be kept. */
size_t pump_read_size(const struct context *context, size_t size);

#endif
