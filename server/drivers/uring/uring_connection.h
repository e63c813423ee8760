/* SPDX-License-Identifier: MIT */
/* A connection whose bytes come and go by completions of a ring. */
#ifndef ECHOD_SERVER_DRIVERS_URING_URING_CONNECTION_H
#define ECHOD_SERVER_DRIVERS_URING_URING_CONNECTION_H

#include <sys/queue.h>

#include "common/session/session.h"
#include "server/drivers/shared/report.h"
#include "server/drivers/uring/ring.h"
#include "server/drivers/uring/uring_core.h"
#include "server/net/accepted.h"

/* What is to be done for a connection when it is its turn. */
enum uring_due {
    URING_DUE_WRITABLE = 1,
    URING_DUE_ALARM = 2,   /* a handler's wait may be over */
    URING_DUE_TIMEOUT = 4, /* the session's timer has expired */
};

struct uring_connection {
    TAILQ_ENTRY(uring_connection) others; /* in a list of the loop, by its timer */
    STAILQ_ENTRY(uring_connection) next;  /* in `arrived` or, while `queued`, in the queue or the works */
    struct uring_loop *loop;
    uint64_t since; /* as in struct connection of the reactor */
    uint64_t alarm_us;
    struct __kernel_timespec alarm;
    const char *sent; /* the copy of what was sent last */
    /* What came while the session did not want to read, or could not be given it. */
    struct buffer *early;
    struct buffer *rest; /* what the socket did not take of the last send */
    int fd;
    uint32_t sent_length;
    uint32_t sent_turn; /* of the ring. As long as it lasts, the last send may fail yet */
    uint8_t wants;      /* set of enum want, after the last pass */
    uint8_t list;       /* enum uring_list */
    uint8_t pending;    /* set of 1 << enum ring_tag: operations that have not completed */
    uint8_t cancelled;  /* those of them that are being cancelled */
    uint8_t due;        /* set of enum uring_due */
    bool queued;
    bool without_buffer; /* its last receive found none, and it has not asked for another one */
    bool eof;            /* the peer has shut down its sending side, and the session does not know yet */
    bool ending;         /* the session is over: what is pending has to complete */
    bool lingers;        /* and a lingering close follows */
    struct session session;
};

/* Makes a connection that uring_connection_begin has to be called for; NULL without memory. Any thread. */
struct uring_connection *uring_connection_new(struct uring_loop *loop, const struct accepted *accepted);

/* The loop's thread calls all others. Each may end and free the connection. */

/* Takes it into the loop, and waits for its first bytes. */
void uring_connection_begin(struct uring_connection *connection);
/* An operation has completed. */
void uring_connection_complete(struct uring_connection *connection, const struct ring_completion *completion);
/* It is its turn in the loop's queue, or in its works: then it may run work, which may take long. */
void uring_connection_look(struct uring_connection *connection, bool may_work);
/* By a sweep: its time is over. Checks for a reset while a handler waits. */
void uring_connection_due(struct uring_connection *connection);
/* The drain has begun, or cuts off. */
void uring_connection_drain(struct uring_connection *connection, bool cutting);
/* What it does. */
enum activity uring_connection_activity(const struct uring_connection *connection);
/* Moves it to the end of a list. */
void uring_connection_move(struct uring_connection *connection, enum uring_list list);

#endif
