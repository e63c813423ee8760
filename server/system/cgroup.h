/* SPDX-License-Identifier: MIT */
/* What the process's control groups allow it: the least over its own group and that one's parents, v1 and v2.
 */
#ifndef ECHOD_SERVER_SYSTEM_CGROUP_H
#define ECHOD_SERVER_SYSTEM_CGROUP_H

#include <stdint.h>

/*
 * The groups are found as cgroups(7) says: their paths in /proc/self/cgroup, their directories by the mounts
 * in /proc/self/mountinfo, so that it works in a container that sees only its own part of the tree. root is
 * put before every path, "" for the real machine. What cannot be read does not limit.
 */

#define CGROUP_UNLIMITED UINT64_MAX

/* CPUs by quota and period, a part of one counted as a whole one; at least 1. */
uint64_t cgroup_cpus(const char *root);

/* Tasks (processes and threads): pids.max. */
uint64_t cgroup_pids(const char *root);

#endif
