/* SPDX-License-Identifier: MIT */
/* An eventfd by which a thread wakes the event loop of another. */
#ifndef ECHOD_SERVER_DRIVERS_SHARED_WAKEUP_H
#define ECHOD_SERVER_DRIVERS_SHARED_WAKEUP_H

struct wakeup {
    int fd; /* readable from wakeup_notify until wakeup_clear; only for an event loop to wait on */
};

/* Returns 0 or a negative errno; after an error there is nothing to undo. The wakeup owns its descriptor until
 * wakeup_deinit. */
int wakeup_init(struct wakeup *wakeup);
void wakeup_deinit(const struct wakeup *wakeup);

/* Wakes the loop, once for any number of calls before the next wakeup_clear. Any thread, any process; does not block. */
void wakeup_notify(const struct wakeup *wakeup);

/* Clears it. To be called before looking for what has come. The loop's thread; does not block. */
void wakeup_clear(const struct wakeup *wakeup);

#endif
