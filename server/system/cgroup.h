/* SPDX-License-Identifier: MIT */
/* The limits that control groups (v1 and v2) set for this process: the lowest of its own group and that group's
 * parents. */
#ifndef ECHOD_SERVER_SYSTEM_CGROUP_H
#define ECHOD_SERVER_SYSTEM_CGROUP_H

#include <stdint.h>

/* The functions find the groups as cgroups(7) says: the paths in /proc/self/cgroup, the directories in
 * /proc/self/mountinfo. So they also work in a container that sees only its own part of the tree. `root` precedes
 * every path; it is "" except in tests. A file that cannot be read sets no limit. The functions allocate and free.
 * Any thread. */

#define CGROUP_UNLIMITED UINT64_MAX

/* Returns the CPU quota as a number of CPUs, rounded up, at least 1; or CGROUP_UNLIMITED. */
uint64_t cgroup_cpus(const char *root);

/* Returns the number of tasks (processes and threads) that pids.max allows, or CGROUP_UNLIMITED. */
uint64_t cgroup_pids(const char *root);

#endif
