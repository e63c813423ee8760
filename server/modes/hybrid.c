/* SPDX-License-Identifier: MIT */
/* --mode hybrid: event loops that hand what blocks or computes to worker threads. */
#include <errno.h>

#include "server/drivers/event/loops.h"
#include "server/modes/mode.h"
#include "server/drivers/shared/workers.h"

static unsigned hybrid_worker_count(const struct server *server)
{
    return server->options->workers > 0 ? server->options->workers : server->cpus;
}

static size_t hybrid_counters(const struct server *server)
{
    return loops_counters(server) + hybrid_worker_count(server);
}

static int hybrid_start(struct server *server)
{
    struct workers *workers =
        workers_start(server->service.scoreboard, SERVER_MODE_COUNTERS + loops_counters(server),
                      hybrid_worker_count(server), server->options->queue);
    return workers == NULL ? -errno : loops_start(server, workers, NULL);
}

static void hybrid_report(struct server *server, struct report *report)
{
    loops_report(server, report);
    report_workers(report, "worker", SERVER_MODE_COUNTERS + loops_counters(server),
                   hybrid_worker_count(server));
}

const struct mode mode_hybrid = {
    .name = "hybrid",
    .summary = "event loops; worker threads run blocking and computing work",
    .cost = LIMITS_DESCRIPTOR,
    .loops = true,
    .workers = hybrid_worker_count,
    .loop_descriptors = LOOPS_DESCRIPTORS + 1, /* an eventfd for the way back of work */
    .counters = hybrid_counters,
    .start = hybrid_start,
    .serve = loops_serve,
    .drain = loops_drain,
    .report = hybrid_report,
    .stop = loops_stop,
};
