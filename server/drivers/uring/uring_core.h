/* SPDX-License-Identifier: MIT */
/* A loop and its connections, as the files of this folder share them. */
#ifndef ECHOD_SERVER_DRIVERS_URING_URING_CORE_H
#define ECHOD_SERVER_DRIVERS_URING_URING_CORE_H

#include <pthread.h>
#include <sys/queue.h>

#include "common/base/sync.h"
#include "common/session/session.h"
#include "server/drivers/event/lingerers.h"
#include "server/drivers/shared/access_log.h"
#include "server/drivers/shared/inbox.h"
#include "server/drivers/shared/report.h"
#include "server/drivers/shared/server.h"
#include "server/drivers/uring/ring.h"

/* The lists of a loop. The first ones are for the session's timers, by enum timer. */
enum uring_list { URING_RESTARTED = TIMER_BODY + 1, URING_LISTS };

TAILQ_HEAD(uring_connections, uring_connection);
STAILQ_HEAD(uring_queue, uring_connection);

MUTEX_CLASS(uring_lock);

/* The most bytes that one pass is given from `input`. */
enum { URING_INPUT_SIZE = 16 * RING_BUFFER_SIZE };

struct uring_loop {
    uint64_t number; /* for the trace */
    struct ring ring;
    struct server *server;
    struct lingerers *lingerers;
    struct context context;
    struct access_log_context log;
    char *scratch;
    char *input;    /* URING_INPUT_SIZE, used within one pass, or by the gatherer */
    char *log_text; /* NULL: the log is off */
    struct uring_connections lists[URING_LISTS];
    struct uring_queue queue;        /* connections to handle next */
    struct uring_queue works;        /* connections whose work runs after the queue was handled */
    struct uring_connection *sender; /* the connection whose pass is running */
    /* Buffers of a large body are passed to the session together: whose bytes are in `input`, and how many. */
    struct uring_connection *gatherer;
    size_t gathered;
    size_t count;     /* number of connections in the lists */
    size_t ending;    /* number of connections whose session is over, but not all operations */
    unsigned retried; /* receives that found no buffer and were asked for again in this turn */
    uint64_t swept_ms;
    uint64_t sweep_at_ms; /* 0: no sweep is needed */
    unsigned sweep_interval_ms;
    uint64_t fails_since_ms; /* 0: the last system call of the ring has not failed */
    bool watches;            /* the ring watches the wakeup of `orders` */
    bool draining;
    bool stopped;
    pthread_t thread;
    struct inbox orders; /* only the orders, and the wakeup */
    struct report *_Atomic report;
    struct mutex mutex; /* uring_lock */
    struct condition has_entered;
    int entered MUTEX_GUARDED_BY(uring_lock); /* 0: not yet; 1: yes; or the error of ring_enter_thread */
    struct uring_queue arrived MUTEX_GUARDED_BY(uring_lock);
};

/* What is due for a connection when the loop handles it. */
enum uring_due {
    URING_DUE_WRITABLE = 1,
    URING_DUE_READABLE = 2,
    URING_DUE_ALARM = 4,   /* a handler's wait may be over */
    URING_DUE_TIMEOUT = 8, /* the session's timer has expired */
    URING_DUE_WORKED = 16, /* its work is done, and the session has not been told */
};

struct uring_connection {
    TAILQ_ENTRY(uring_connection) others; /* in a list of the loop, by its timer */
    STAILQ_ENTRY(uring_connection) next;  /* in `arrived` or, while `queued`, in the queue or the works */
    struct uring_loop *loop;
    uint64_t since; /* as in struct connection of the reactor */
    uint64_t alarm_us;
    struct __kernel_timespec alarm;
    const char *sent; /* the copy of the bytes of the last send */
    /* Bytes that came while the session did not want to read, or could not be given them. */
    struct buffer *early;
    struct buffer *rest; /* bytes of the last send that the socket did not take */
    int fd;
    uint32_t sent_length;
    uint32_t sent_turn; /* the ring's turn with the last send, which may still fail while this turn lasts */
    uint8_t wants;      /* set of enum want, after the last pass */
    uint8_t list;       /* enum uring_list */
    uint8_t pending;    /* set of 1 << enum ring_tag: operations that have not completed */
    uint8_t cancelled;  /* those of them that are being cancelled */
    uint8_t due;        /* set of enum uring_due */
    bool queued;
    bool reads_by_call;  /* within a large body; its output is sent by calls, too */
    bool without_buffer; /* its last receive found none, and it has not asked for another one */
    bool eof;            /* the peer has shut down its sending side, and the session does not know yet */
    bool ending;         /* the session is over; the pending operations have to complete */
    bool lingers;        /* with `ending`: a lingering close follows */
    struct session session;
};

/* The loop's thread. */

/* Starts the sweeps if none is due. */
void uring_core_sweep_from_now(struct uring_loop *loop);
/* Moves the connection to the end of a list of the loop. */
void uring_core_move(struct uring_connection *connection, enum uring_list list);
/* Puts the connection into the loop's queue, unless it is in the queue or the works. */
void uring_core_queue(struct uring_connection *connection);
/* Puts the connection into the loop's works, unless it is in the queue or the works. */
void uring_core_queue_work(struct uring_connection *connection);

#endif
