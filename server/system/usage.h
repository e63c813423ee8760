/* SPDX-License-Identifier: MIT */
/* The resources that the operating system counts for this server, for /metrics. */
#ifndef ECHOD_SERVER_SYSTEM_USAGE_H
#define ECHOD_SERVER_SYSTEM_USAGE_H

#include "common/base/scoreboard.h"
#include "common/base/usage.h"

struct event_base;

/* Adds the resources of this process to *usage, which is zero before; in mode process, those of the parent, of the
 * living children and of the children that were reaped (`scoreboard->reaped_*`). Values that cannot be read count as
 * 0. Any thread of any process of the server. */
void usage_read(const struct scoreboard *scoreboard, struct usage *usage);

/* For mode process, where reading all children at once would block the main thread for too long. From now on
 * usage_read, in the main thread, reads only a few children. For the others it adds the values that were read last;
 * the loop of `base` then reads these children, a few at a time, for the next call. A child that was never read
 * counts as one thread. Main thread, before the first connection. Returns 0 or a negative errno; after an error
 * there is nothing to undo. */
int usage_sample_children(struct event_base *base, const struct scoreboard *scoreboard);
/* Ends the sampling and frees its memory. Main thread. */
void usage_sample_end(void);

#endif
