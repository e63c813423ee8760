/* SPDX-License-Identifier: MIT */
/* --mode hybrid: event loops that hand what blocks or computes to worker threads. */
#include <errno.h>

#include "server/drivers/event/loops.h"
#include "server/modes/mode.h"
#include "server/drivers/shared/workers.h"

static struct workers *hybrid_workers;

static unsigned hybrid_worker_count(const struct server *server)
{
    return server->options->workers > 0 ? server->options->workers : server->cpus;
}

static unsigned hybrid_descriptors(const struct server *server)
{
    return loops_descriptors(server) + server->loops; /* an eventfd for the way back of work */
}

static size_t hybrid_counters(const struct server *server)
{
    return loops_counters(server) + hybrid_worker_count(server);
}

static int hybrid_start(struct server *server)
{
    hybrid_workers = workers_start(server->service.scoreboard, SERVER_MODE_COUNTERS + loops_counters(server),
                                   hybrid_worker_count(server), server->options->queue);
    if (hybrid_workers == NULL) {
        return -errno;
    }
    int error = loops_start(server, hybrid_workers);
    if (error != 0) {
        workers_stop(hybrid_workers);
    }
    return error;
}

static void hybrid_report(struct server *server, struct report *report)
{
    loops_report(server, report);
    report_workers(report, "worker", SERVER_MODE_COUNTERS + loops_counters(server),
                   hybrid_worker_count(server));
}

/* All connections have left, so no work is on its way. */
static void hybrid_stop(struct server *server)
{
    loops_stop(server);
    workers_stop(hybrid_workers);
}

const struct mode mode_hybrid = {
    .name = "hybrid",
    .summary = "event loops; worker threads run blocking and computing work",
    .cost = LIMITS_DESCRIPTOR,
    .loops = true,
    .workers = hybrid_worker_count,
    .descriptors = hybrid_descriptors,
    .counters = hybrid_counters,
    .start = hybrid_start,
    .serve = loops_serve,
    .drain = loops_drain,
    .report = hybrid_report,
    .stop = hybrid_stop,
};
