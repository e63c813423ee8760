/* SPDX-License-Identifier: MIT */
/* The limits of the machine: usable CPUs, and how many connections or threads a mode can have at once. */
#ifndef ECHOD_SERVER_SYSTEM_LIMITS_H
#define ECHOD_SERVER_SYSTEM_LIMITS_H

#include <stdint.h>

#include "common/base/scoreboard.h"

/* `root` precedes every path that the functions read (/proc/..., /sys/fs/cgroup/...); it is "" except in tests. A
 * file that cannot be read sets no limit. The functions allocate and free; the main thread calls them at start-up. */

/* Returns the number of CPUs that this process may use, at least 1: the lower of its affinity and its CPU quota
 * (cgroup_cpus; a quota of 1.5 CPUs counts as 2). */
unsigned limits_cpus(const char *root);

/* The resource that each connection takes besides its descriptor. */
enum limits_cost {
    LIMITS_DESCRIPTOR, /* nothing */
    LIMITS_THREAD,     /* a thread with its stack and guard page */
    LIMITS_PROCESS,    /* a process */
    LIMITS_STACK,      /* a stack with its guard page */
};

struct limits_connections {
    unsigned count; /* the limit of connections or threads, from 1 to SCOREBOARD_CONNECTIONS_MAX */
    char name[64];  /* that limit, for messages: "descriptors (ulimit -n 64)", "cgroup pids.max 100" */
};

/* Raises the soft limit of descriptors to the hard limit. Then finds the lowest of these limits, each less a reserve:
 *
 *   for all costs                      descriptors
 *   LIMITS_THREAD and LIMITS_PROCESS   the user's processes (unless the user is exempt), pids.max of the cgroups,
 *                                      kernel.pid_max, kernel.threads-max
 *   LIMITS_THREAD and LIMITS_STACK     vm.max_map_count, of which each takes two: the stack and its guard page
 *
 * `own_descriptors` is the number of descriptors that the server itself will still open (loops, event descriptors, log
 * files). The function counts those that are open at the time of the call. */
void limits_connections(struct limits_connections *limits, const char *root, enum limits_cost cost,
                        unsigned own_descriptors);

/* Finds the lowest limit for threads with stacks of the default size, for the message when a thread cannot be
 * started: those of LIMITS_THREAD but descriptors, and the address space. */
void limits_threads(struct limits_connections *limits, const char *root);

#endif
