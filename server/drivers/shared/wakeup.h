/* SPDX-License-Identifier: MIT */
/* An eventfd by which a thread wakes the event loop of another. */
#ifndef ECHOD_SERVER_DRIVERS_SHARED_WAKEUP_H
#define ECHOD_SERVER_DRIVERS_SHARED_WAKEUP_H

struct wakeup {
    int fd; /* readable from wakeup_notify until wakeup_clear; only for an event loop to wait on */
};

/* Returns 0 or a negative errno; after an error there is nothing to undo. The wakeup owns its descriptor until
 * wakeup_deinit. Main thread. */
int wakeup_init(struct wakeup *wakeup);
/* Closes the descriptor. No other thread may use the wakeup any more. Main thread. */
void wakeup_deinit(const struct wakeup *wakeup);

/* Wakes the loop, once for all calls before the next wakeup_clear. Any thread, any process; does not block. */
void wakeup_notify(const struct wakeup *wakeup);

/* Clears the wakeup. The loop calls this first and then looks for its new input, so that it misses none. The loop's
 * thread; does not block. */
void wakeup_clear(const struct wakeup *wakeup);

#endif
