/* SPDX-License-Identifier: MIT */
/* An io_uring for one thread: operations go into it, completions come out. It lends buffers to receives. What it is told to
 * send is sent by the next system call. */
#ifndef ECHOD_SERVER_DRIVERS_URING_RING_H
#define ECHOD_SERVER_DRIVERS_URING_RING_H

#include <liburing.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RING_BUFFERS = 512,        /* that receives fill, a power of two: the most of them, */
    RING_BUFFERS_FIRST = 64,   /* and how many there are until receives find none */
    RING_BUFFER_SIZE = 4096,   /* bytes of each */
    RING_ARENA_SIZE = 1 << 17, /* bytes that one system call can send, of all connections together */
    RING_SEND_MAX = 4096,      /* of these, the most of one send when it is asked for, */
    RING_GROWN_MAX = 8192,     /* and when it has grown */
    RING_DESCRIPTORS = 1,
};

/* What an operation is for. It stands in the low bits of the user data of its completion, the owner's address in the others. */
enum ring_tag { RING_NONE, RING_RECEIVE, RING_SEND, RING_WRITABLE, RING_ALARM, RING_WAKEUP, RING_TAGS = 8 };

struct ring {
    struct io_uring io;
    struct io_uring_buf_ring *buffers;
    char *memory;                   /* of the buffers */
    char *arenas[2];                /* what this turn sends, and what the last one has sent */
    size_t arena_used;              /* bytes of this turn's */
    struct io_uring_sqe *last_send; /* NULL: it is submitted */
    uint32_t turn;                  /* grows when all that was to be sent has been */
    unsigned buffer_count; /* that are given or lent: more when receives found none, up to RING_BUFFERS */
    unsigned returned;     /* buffers that the kernel does not know of yet */
};

struct ring_completion {
    void *owner;
    enum ring_tag tag;
    int result;      /* bytes, or a negative errno */
    bool more;       /* the operation goes on */
    char *bytes;     /* what was received, in a buffer; NULL: none */
    unsigned buffer; /* its number */
};

/* Makes a ring, which one thread uses after it has called ring_enter_thread. Returns 0 or a negative errno: -ENOSYS or
 * -EPERM where io_uring is forbidden, -EINVAL where the kernel is older than 6.1. Main thread. */
int ring_init(struct ring *ring);
/* Ends all operations and frees the memory. Main thread, after the ring's thread has ended. */
void ring_deinit(struct ring *ring);

/* The ring's thread calls all other functions. */

/* First of all. Returns 0 or a negative errno. */
int ring_enter_thread(struct ring *ring);

/* Submits what was asked for, and waits for a completion: without end if `timeout_ms` is negative, not at all if it is 0. Returns 0
 * or a negative errno, where trying again may help. */
int ring_submit_and_wait(struct ring *ring, int64_t timeout_ms);

/* Submits what was asked for, so that it is sent now. Receives may complete by that. */
void ring_submit(struct ring *ring);

/* Whether there are completions that ring_take has not seen: it had no room for them, or what was asked for since has completed. */
bool ring_has_completions(const struct ring *ring);

/* Calls `complete` for each completion that is there, first for those of sends. A buffer is the callee's until it returns. */
void ring_take(struct ring *ring, void (*complete)(void *context, const struct ring_completion *completion),
               void *context);

/* The following ask for an operation. They return false if there is no room for it. `owner` must stay where it is until the operation
 * has completed; its address is a multiple of RING_TAGS. */

/* Receives into a buffer; `again`: for each arrival, until it fails or is cancelled. */
bool ring_receive(struct ring *ring, int fd, bool again, void *owner);
/* Completes when the socket takes bytes, or is broken. */
bool ring_await_writable(struct ring *ring, int fd, void *owner);
/* Completes when bytes can be read from the descriptor, each time. */
bool ring_watch(struct ring *ring, int fd, void *owner);
/* Completes at `*time` from now, which must stay there until ring_submit_and_wait. */
bool ring_alarm(struct ring *ring, struct __kernel_timespec *time, void *owner);
/* Cancels an operation, which then completes, if it has not before. */
bool ring_cancel(struct ring *ring, void *owner, enum ring_tag tag);

/* Sends bytes, at most RING_SEND_MAX, which it copies: at once when it submits, as many as the socket takes without waiting. Completes
 * only if not all were sent. `*copy` is where the copy is: it stays until the next turn is over. False if there is no room. */
bool ring_send(struct ring *ring, int fd, const char *bytes, size_t length, void *owner, const char **copy);

/* Adds bytes to a send that is the last one and not submitted: together at most RING_GROWN_MAX. False if there is no such send, or no
 * room. */
bool ring_send_more(struct ring *ring, const char *bytes, size_t length, const void *owner);

#endif
