/* SPDX-License-Identifier: MIT */
/* What the operating system counts for this server, for /metrics. */
#ifndef ECHOD_SERVER_SYSTEM_USAGE_H
#define ECHOD_SERVER_SYSTEM_USAGE_H

#include "common/base/scoreboard.h"
#include "common/base/usage.h"

struct event_base;

/* Sums up the process, and in process mode the parent, the children that live and those that were reaped
 * (`scoreboard->reaped_*`). What cannot be read counts as 0. Any thread of any process of the server. */
void usage_read(const struct scoreboard *scoreboard, struct usage *usage);

/* Where each connection has a process, reading of all of them takes too long for the thread that accepts and reaps.
 * There usage_read reads a few at once. Are there more, it counts what it last knew of the others, and the loop of
 * `base` reads them a few at a time from then on, for the next call. Main thread, before the first connection. 0 or a
 * negative errno. */
int usage_sample_children(struct event_base *base, const struct scoreboard *scoreboard);
/* Ends that. */
void usage_sample_end(void);

#endif
