/* SPDX-License-Identifier: MIT */
/* Passes connections, and the orders to drain and to stop, from other threads to the thread of an event loop. */
#ifndef ECHOD_SERVER_DRIVERS_SHARED_INBOX_H
#define ECHOD_SERVER_DRIVERS_SHARED_INBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/sync.h"
#include "server/drivers/shared/wakeup.h"
#include "server/net/accepted.h"

/* In this order only: an order replaces those before it. */
enum inbox_order { INBOX_SERVE, INBOX_DRAIN, INBOX_STOP };

struct inbox_list {
    struct accepted *items;
    size_t count;
    size_t capacity;
};

MUTEX_CLASS(inbox_lock);

struct inbox {
    struct wakeup wakeup; /* notified of the first waiting connection and of a new order */
    struct mutex mutex;   /* inbox_lock */
    struct inbox_list waiting MUTEX_GUARDED_BY(inbox_lock);
    enum inbox_order order MUTEX_GUARDED_BY(inbox_lock);
    struct inbox_list taken; /* the connections that the reader has taken; the array is reused */
};

/* Returns 0 or a negative errno; after an error there is nothing to undo. Main thread. */
int inbox_init(struct inbox *inbox);
/* No other thread may use the inbox any more. Does not close connections that were not taken. Main thread. */
void inbox_deinit(struct inbox *inbox);

/* Passes a connection to the reader, which owns it from then on. Returns 0, or -ENOMEM, after which the caller still
 * owns it. Any thread. */
int inbox_put(struct inbox *inbox, const struct accepted *accepted) MUTEX_EXCLUDES(inbox_lock);
/* Gives an order to the reader. Any thread. */
void inbox_order(struct inbox *inbox, enum inbox_order order) MUTEX_EXCLUDES(inbox_lock);

/* Wakes the reader for a reason that is not in the inbox. Any thread. */
void inbox_wake(const struct inbox *inbox);

/* Clears the wakeup, moves the waiting connections to `inbox->taken`, where they stay until the next call, and
 * returns the last order. The caller owns the connections. The loop's thread. */
enum inbox_order inbox_take(struct inbox *inbox) MUTEX_EXCLUDES(inbox_lock);

#endif
