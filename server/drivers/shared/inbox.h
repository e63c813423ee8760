/* SPDX-License-Identifier: MIT */
/* What the acceptor leaves for a loop in another thread: connections, and that it shall drain or stop. */
#ifndef ECHOD_SERVER_DRIVERS_SHARED_INBOX_H
#define ECHOD_SERVER_DRIVERS_SHARED_INBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/sync.h"
#include "server/drivers/shared/wakeup.h"
#include "server/net/accepted.h"

/* From each only the next: what was ordered last holds. */
enum inbox_order { INBOX_SERVE, INBOX_DRAIN, INBOX_STOP };

struct inbox_list {
    struct accepted *items;
    size_t count;
    size_t capacity;
};

MUTEX_CLASS(inbox_lock);

struct inbox {
    struct wakeup wakeup; /* notified when there is something new */
    struct mutex mutex;   /* inbox_lock */
    struct inbox_list waiting MUTEX_GUARDED_BY(inbox_lock);
    enum inbox_order order MUTEX_GUARDED_BY(inbox_lock);
    struct inbox_list taken; /* the reader's: the array of the time before, for the writer to fill again */
};

/* 0 or a negative errno; then there is nothing to undo. */
int inbox_init(struct inbox *inbox);
/* Neither side uses it any more. Connections nobody took are not closed. */
void inbox_deinit(struct inbox *inbox);

/* 0, or -ENOMEM: then the connection stays with the caller. The wakeup is written for the first of those that wait. */
int inbox_put(struct inbox *inbox, const struct accepted *accepted) MUTEX_EXCLUDES(inbox_lock);
void inbox_order(struct inbox *inbox, enum inbox_order order) MUTEX_EXCLUDES(inbox_lock);

/* Wakes the reader for something that is not in here. */
void inbox_wake(const struct inbox *inbox);

/* The reader: clears the wakeup and takes everything; `inbox->taken` holds the connections until the next call. */
enum inbox_order inbox_take(struct inbox *inbox) MUTEX_EXCLUDES(inbox_lock);

#endif
