/* SPDX-License-Identifier: MIT */
/* --mode event: a few threads, each with an event loop over many connections. A handler that blocks or computes holds
 * up its loop. */
#include "server/drivers/event/loops.h"
#include "server/modes/mode.h"

static int event_start(struct server *server)
{
    return loops_start(server, NULL, NULL);
}

const struct mode mode_event = {
    .name = "event",
    .summary = "event loops, each with many connections",
    .cost = LIMITS_DESCRIPTOR,
    .loops = true,
    .loop_descriptors = LOOPS_DESCRIPTORS,
    .counters = loops_counters,
    .start = event_start,
    .serve = loops_serve,
    .drain = loops_drain,
    .report = loops_report,
    .stop = loops_stop,
};
