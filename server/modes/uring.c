/* SPDX-License-Identifier: MIT */
/* --mode uring: a few threads, each with an io_uring, and many connections in it. The kernel tells of bytes that have come, not of
 * sockets that may be read. A handler that blocks or computes holds up its loop. */
#include <errno.h>
#include <stdlib.h>

#include "server/drivers/shared/counters_pool.h"
#include "server/drivers/uring/uring_loop.h"
#include "server/modes/mode.h"
#include "server/system/sysfile.h"

struct uring {
    struct lingerers
        lingerers; /* a lingering close reads until the peer has had enough: nothing for a ring */
    unsigned next; /* who gets the next connection */
    unsigned count;
    struct uring_loop loops[];
};

static size_t uring_counters(const struct server *server)
{
    return server->loops + 1; /* the first for those that linger */
}

static void uring_free(struct uring *uring)
{
    for (unsigned i = 0; i < uring->count; i++) {
        uring_loop_stop(&uring->loops[i]);
    }
    lingerers_deinit(&uring->lingerers);
    free(uring);
}

static int uring_start(struct server *server)
{
    struct uring *uring = calloc(1, sizeof(*uring) + server->loops * sizeof(uring->loops[0]));
    if (uring == NULL) {
        return -ENOMEM;
    }
    int error = lingerers_init(&uring->lingerers, server, SERVER_MODE_COUNTERS);
    if (error != 0) {
        free(uring);
        return error;
    }
    while (error == 0 && uring->count < server->loops) {
        struct counters *counters =
            counters_claim(server->service.scoreboard, SERVER_MODE_COUNTERS + 1 + uring->count);
        error =
            uring_loop_start(&uring->loops[uring->count], uring->count, server, counters, &uring->lingerers);
        uring->count += error == 0;
    }
    if (error != 0) {
        uring_free(uring);
        return error;
    }
    server->mode_state = uring;
    return 0;
}

#define ALLOW_CALLS "allow io_uring_setup, io_uring_enter and io_uring_register"

/* The setting 1 forbids it only to those without privilege, so that a filter may be the cause, too. */
static const char *explain_forbidden(void)
{
    uint64_t disabled = 0;
    sysfile_number("", "/proc/sys/kernel/io_uring_disabled", &disabled); /* as of Linux 6.6 */
    switch (disabled) {
    case 0:
        return "a seccomp filter forbids io_uring, as the default profile of containers and "
               "echod.service do: " ALLOW_CALLS;
    case 1:
        return "kernel.io_uring_disabled forbids io_uring to all but members of kernel.io_uring_group: "
               "set it to 0 with sysctl; or a seccomp filter forbids io_uring: " ALLOW_CALLS;
    default: return "kernel.io_uring_disabled forbids io_uring: set it to 0 with sysctl";
    }
}

static const char *uring_explain(int error)
{
    switch (error) {
    case -ENOSYS: return "the kernel has no io_uring, or a seccomp filter hides it: " ALLOW_CALLS;
    case -EPERM: return explain_forbidden();
    case -EACCES:
        return "a security module such as SELinux forbids io_uring, or a seccomp filter does: " ALLOW_CALLS;
    case -EINVAL: return "it needs Linux 6.1 or newer, and this kernel is older";
    case -ENOMEM:
        return "no memory for the rings of its loops (--loops); the limit of locked memory (ulimit -l) may "
               "be too low";
    default: return NULL;
    }
}

static int uring_serve(struct server *server, const struct accepted *accepted)
{
    struct uring *uring = server->mode_state;
    struct uring_loop *loop = &uring->loops[uring->next];
    uring->next = (uring->next + 1) % uring->count;
    return uring_loop_serve(loop, accepted);
}

static void uring_drain(struct server *server)
{
    struct uring *uring = server->mode_state;
    bool cutting = scoreboard_cutting(server->service.scoreboard);
    for (unsigned i = 0; i < uring->count; i++) {
        uring_loop_drain(&uring->loops[i], cutting);
    }
    lingerers_drain(&uring->lingerers);
}

static void uring_report(struct server *server, struct report *report)
{
    struct uring *uring = server->mode_state;
    for (unsigned i = 0; i < uring->count; i++) {
        uring_loop_report(&uring->loops[i], report);
    }
    report_workers(report, "loop", SERVER_MODE_COUNTERS + 1, uring->count);
    lingerers_report(&uring->lingerers, report);
}

static void uring_stop(struct server *server)
{
    uring_free(server->mode_state);
}

const struct mode mode_uring = {
    .name = "uring",
    .summary = "loops on io_uring completions, each with many connections",
    .cost = LIMITS_DESCRIPTOR,
    .loops = true,
    .loop_descriptors = URING_LOOP_DESCRIPTORS,
    .descriptors = LINGERERS_DESCRIPTORS,
    .counters = uring_counters,
    .start = uring_start,
    .explain = uring_explain,
    .serve = uring_serve,
    .drain = uring_drain,
    .report = uring_report,
    .stop = uring_stop,
};
