/* SPDX-License-Identifier: MIT */
/* An io_uring for one thread: operations go into it, completions come out. It lends buffers to receives. The next system
 * call sends all that ring_send was given. */
#ifndef ECHOD_SERVER_DRIVERS_URING_RING_H
#define ECHOD_SERVER_DRIVERS_URING_RING_H

#include <liburing.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RING_BUFFERS = 512,        /* maximum number of buffers for receives; a power of two */
    RING_BUFFERS_FIRST = 64,   /* number of buffers until receives find none */
    RING_BUFFER_SIZE = 4096,   /* bytes of a buffer */
    RING_ARENA_SIZE = 1 << 17, /* maximum bytes of all sends of a turn together */
    RING_SEND_MAX = 4096,      /* maximum bytes of one ring_send */
    RING_GROWN_MAX = 8192,     /* maximum bytes of a send that ring_send_more has extended */
    RING_DESCRIPTORS = 1,
};

/* What an operation is for. The user data of a completion holds the tag in its low bits, and the owner's address in the
 * others. */
enum ring_tag {
    RING_NONE,
    RING_RECEIVE,
    RING_SEND,
    RING_READABLE,
    RING_WRITABLE,
    RING_ALARM,
    RING_WAKEUP,
    RING_TAGS = 8
};

struct ring {
    struct io_uring io;
    struct io_uring_buf_ring *buffers;
    char *memory;                   /* of the buffers */
    char *arenas[2];                /* the bytes of this turn's sends, and those of the last turn's */
    size_t arena_used;              /* bytes in use in this turn's arena */
    struct io_uring_sqe *last_send; /* the last send of this turn; NULL: none, or it is submitted */
    uint32_t turn;                  /* number of the turn; a turn ends when all of its sends were executed */
    unsigned buffer_count; /* number of buffers; it grows when receives find none, up to RING_BUFFERS */
    unsigned returned;     /* buffers that are free again, but not yet published to the kernel */
};

struct ring_completion {
    void *owner;
    enum ring_tag tag;
    int result;      /* bytes, or a negative errno */
    bool more;       /* the operation goes on: it will complete again */
    char *bytes;     /* the bytes received, in a buffer; NULL: none */
    unsigned buffer; /* the number of this buffer */
};

/* Makes a ring, which one thread uses after it has called ring_enter_thread. Returns 0 or a negative errno: -ENOSYS or
 * -EPERM where io_uring is forbidden, -EINVAL where the kernel is older than 6.1. Main thread. */
int ring_init(struct ring *ring);
/* Ends all operations and frees the memory. Main thread, after the ring's thread has ended. */
void ring_deinit(struct ring *ring);

/* The ring's thread calls all other functions. */

/* Called first. Returns 0 or a negative errno. */
int ring_enter_thread(struct ring *ring);

/* Submits the operations asked for, and waits for a completion: without end if `timeout_ms` is negative, not at all if it
 * is 0. Returns 0, or a negative errno; the caller may then try again. */
int ring_submit_and_wait(struct ring *ring, int64_t timeout_ms);

/* Submits the operations asked for, so that the sends are executed now. Receives may complete meanwhile. */
void ring_submit(struct ring *ring);

/* Whether there are completions that ring_take has not handled: the completion queue had no room for them, or operations
 * have completed since. */
bool ring_has_completions(const struct ring *ring);

/* Calls `complete` for each completion in the completion queue, first for those of sends. `complete` may use the buffer of
 * a completion until it returns. */
void ring_take(struct ring *ring, void (*complete)(void *context, const struct ring_completion *completion),
               void *context);

/* Each of the following functions asks for an operation. It returns false if the ring has no room for the operation.
 * `owner` must stay where it is until the operation has completed; its address is a multiple of RING_TAGS. */

/* Receives into a buffer: once, or with `again` at each arrival (multishot) until the receive fails or is cancelled. */
bool ring_receive(struct ring *ring, int fd, bool again, void *owner);
/* Completes when the socket has bytes or the peer's end, or is broken. */
bool ring_await_readable(struct ring *ring, int fd, void *owner);
/* Completes when the socket takes bytes, or is broken. */
bool ring_await_writable(struct ring *ring, int fd, void *owner);
/* Completes each time that bytes can be read from the descriptor. */
bool ring_watch(struct ring *ring, int fd, void *owner);
/* Completes after `*time`, which must stay where it is until ring_submit_and_wait. */
bool ring_alarm(struct ring *ring, struct __kernel_timespec *time, void *owner);
/* Cancels an operation, which then completes, if it has not before. */
bool ring_cancel(struct ring *ring, void *owner, enum ring_tag tag);

/* Sends a copy of the bytes, at most RING_SEND_MAX. The send is executed when it is submitted, and takes as many bytes as
 * the socket accepts without waiting. It completes only if it did not send all of them. `*copy` points to the copy, which
 * is valid until the next turn is over. */
bool ring_send(struct ring *ring, int fd, const char *bytes, size_t length, void *owner, const char **copy);

/* Adds bytes to the last send if it is the owner's and not submitted yet, up to RING_GROWN_MAX bytes in all. Returns false
 * if there is no such send, or no room. */
bool ring_send_more(struct ring *ring, const char *bytes, size_t length, const void *owner);

#endif
