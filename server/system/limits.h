/* SPDX-License-Identifier: MIT */
/* What the machine allows: usable CPUs, and how many connections a mode can hold at once. */
#ifndef ECHOD_SERVER_SYSTEM_LIMITS_H
#define ECHOD_SERVER_SYSTEM_LIMITS_H

#include <stdint.h>

#include "common/base/scoreboard.h"

/*
 * root is put before every path that is read (/proc/..., /sys/fs/cgroup/...): "" for the real machine, a
 * directory for a test. What cannot be read does not limit. Both functions allocate and free; call them at
 * start-up.
 */

/* CPUs this process may use: the least of its affinity and of the CPU quotas of its cgroup and that one's
 * parents (v1 and v2; a quota of 1.5 CPUs counts as 2). At least 1. */
unsigned limits_cpus(const char *root);

/* What a connection costs besides its descriptor. */
enum limits_cost {
    LIMITS_DESCRIPTOR, /* nothing */
    LIMITS_THREAD,     /* a thread with its stack and guard page */
    LIMITS_PROCESS     /* a process */
};

struct limits_connections {
    unsigned count; /* connections that fit, from 1 to SCOREBOARD_CONNECTIONS_MAX */
    char name[64];  /* what binds, for a message: "descriptors (ulimit -n 64)", "cgroup pids.max 100" */
};

/*
 * Raises the soft limit of descriptors to the hard one, then finds the least of
 *
 *   always:             descriptors;
 *   thread and process: the user's processes (unless the user is exempt), pids.max of the cgroup and its
 * parents, kernel.pid_max, kernel.threads-max; thread:             vm.max_map_count, of which a thread takes
 * two, its stack and the guard page;
 *
 * each less a reserve. own_descriptors is how many descriptors the server itself is still going to open
 * (loops, event descriptors, log files); those open at the time of the call are counted here.
 */
void limits_connections(struct limits_connections *limits, const char *root, enum limits_cost cost,
                        unsigned own_descriptors);

/* The least of what limits threads with stacks of the default size, for a message where one could not be started: as
 * for LIMITS_THREAD, and the address space. */
void limits_threads(struct limits_connections *limits, const char *root);

#endif
