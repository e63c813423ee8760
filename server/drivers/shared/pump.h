/* SPDX-License-Identifier: MIT */
/* One pass of a session, the same in every driver: passes an event to the session and sends its output. */
#ifndef ECHOD_SERVER_DRIVERS_SHARED_PUMP_H
#define ECHOD_SERVER_DRIVERS_SHARED_PUMP_H

#include <stdbool.h>

#include "common/session/session.h"

enum io_event {
    IO_DATA,     /* bytes were read */
    IO_LATE,     /* no event: there are only bytes that were read earlier */
    IO_EOF,      /* the peer has shut down its sending side */
    IO_WRITABLE, /* the socket can take bytes again */
    IO_TIMEOUT,  /* the session's timer has expired */
    IO_RESUMED,  /* the handler's wait or work is over */
    IO_REJECTED, /* the handler's work was rejected */
    IO_SHUTDOWN, /* the server drains */
};

/* The most sends and bytes of one pass; the pass may exceed the bytes by one send. The rest waits for the next pass,
 * so that the other connections of the loop, and reading, get their turn. */
enum { PUMP_SENDS_MAX = 16, PUMP_BYTES_MAX = 1024 * 1024 };

#define PUMP_NO_BYTES SPAN_LITERAL("")

/* Runs one pass. If the context takes the output (`take_output`), the pass does not read the socket, and writes only output
 * that the context leaves to it. `bytes` are the bytes that were read; they need not outlive the call. With an event other
 * than IO_DATA, they were read before the event, at a time when the session could not be given them. If the session has
 * dropped input before them, they are dropped, too, because they may begin within a request. Updates the context's date and
 * its counts of bytes. Returns false if the connection was reset: then only session_deinit remains to be called. The thread
 * that drives the connection and owns the context calls it. */
bool session_pump(struct session *session, struct context *context, int fd, enum io_event event,
                  struct span bytes);

/* Counts the connection as cut off by the drain timeout and logs its request. Only for a session that is not idle.
 * The caller then closes the connection without lingering. The same thread. */
void pump_cut_off(struct session *session, struct context *context);

/* Returns how many bytes to read into a buffer of `size` bytes: fewer while the budget is so short that they might
 * not be kept. Any thread. */
size_t pump_read_size(const struct context *context, size_t size);

#endif
