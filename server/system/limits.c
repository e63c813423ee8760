/* SPDX-License-Identifier: MIT */
/* Counts usable CPUs and finds the limit on the number of connections. */
#include "server/system/limits.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "server/system/cgroup.h"
#include "server/system/sysfile.h"

#define CPUS_MAX     (1u << 16) /* the largest set to try; Linux supports up to 8,192 CPUs */
#define MAPS_A_STACK 2          /* the stack of a thread or fiber, and the guard page below */

/* Capabilities that lift RLIMIT_NPROC, capabilities(7), by their number. */
#define CAPABILITY_SYS_ADMIN    21
#define CAPABILITY_SYS_RESOURCE 24

/* Tries larger sets, because the kernel refuses one that is smaller than its own. Returns 0 if the affinity is
 * unknown. */
static unsigned affinity_cpus(void)
{
    for (unsigned size = CPU_SETSIZE; size <= CPUS_MAX; size *= 2) {
        cpu_set_t *set = CPU_ALLOC(size);
        if (set == NULL) {
            return 0;
        }
        bool known = sched_getaffinity(0, CPU_ALLOC_SIZE(size), set) == 0;
        unsigned count = known ? (unsigned)CPU_COUNT_S(CPU_ALLOC_SIZE(size), set) : 0;
        CPU_FREE(set);
        if (known || errno != EINVAL) {
            return count;
        }
    }
    return 0;
}

unsigned limits_cpus(const char *root)
{
    unsigned cpus = affinity_cpus();
    uint64_t quota = cgroup_cpus(root);
    if (quota < cpus) {
        cpus = (unsigned)quota;
    }
    return cpus > 0 ? cpus : 1;
}

/* Lowers the limit to `count` if that is less. The name of the limit is then `before`, the value of the setting,
 * `after`. */
static void bind_limit(struct limits_connections *limits, uint64_t count, const char *before, uint64_t value,
                       const char *after)
{
    if (count >= limits->count) {
        return;
    }
    snprintf(limits->name, sizeof(limits->name), "%s%llu%s", before, (unsigned long long)value, after);
    limits->count = count > 0 ? (unsigned)count : 1;
}

static uint64_t less(uint64_t limit, uint64_t taken)
{
    return limit > taken ? limit - taken : 0;
}

/* Returns the limit less a reserve for other uses: an eighth of it, but at least `smallest` and at most `largest`. */
static uint64_t less_reserve(uint64_t limit, uint64_t smallest, uint64_t largest)
{
    uint64_t reserve = limit / 8;
    reserve = reserve < smallest ? smallest : reserve;
    return less(limit, reserve > largest ? largest : reserve);
}

/* Raises the soft limit to the hard limit. Returns the resulting soft limit. */
static uint64_t raise_descriptors(void)
{
    struct rlimit limit;
    if (prlimit(0, RLIMIT_NOFILE, NULL, &limit) != 0) {
        return UINT64_MAX;
    }
    struct rlimit raised = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
    return prlimit(0, RLIMIT_NOFILE, &raised, NULL) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

static void bind_descriptors(struct limits_connections *limits, const char *root, unsigned own_descriptors)
{
    uint64_t limit = raise_descriptors();
    unsigned open = sysfile_entries(root, "/proc/self/fd");
    uint64_t spare = limit / 16 < 8 ? 8 : limit / 16 > 64 ? 64 : limit / 16;
    bind_limit(limits, less(limit, spare + own_descriptors + open), "descriptors (ulimit -n ", limit, ")");
}

/* Reads "Name:\tvalue" lines of /proc/self/status that decide whether RLIMIT_NPROC counts. */
static bool status_exempts(FILE *status)
{
    char *line = NULL;
    size_t capacity = 0;
    bool exempt = false;
    while (getline(&line, &capacity, status) > 0) {
        if (strncmp(line, "Uid:", 4) == 0) {
            exempt |= strtoul(line + 4, NULL, 10) == 0;
        } else if (strncmp(line, "CapEff:", 7) == 0) {
            exempt |= (strtoull(line + 7, NULL, 16) &
                       (UINT64_C(1) << CAPABILITY_SYS_ADMIN | UINT64_C(1) << CAPABILITY_SYS_RESOURCE)) != 0;
        }
    }
    free(line);
    return exempt;
}

/* The first user namespace maps every user to itself: "0 0 4294967295". */
static bool is_first_namespace(const char *root)
{
    char map[64];
    if (!sysfile_line(root, "/proc/self/uid_map", map, sizeof(map))) {
        return false;
    }
    char *rest = map;
    unsigned long inside = strtoul(rest, &rest, 10);
    unsigned long outside = strtoul(rest, &rest, 10);
    return inside == 0 && outside == 0 && strtoul(rest, &rest, 10) == UINT32_MAX;
}

/* The kernel exempts root and two capabilities, but those of its first user namespace alone. */
static bool processes_exempt(const char *root)
{
    if (!is_first_namespace(root)) {
        return false;
    }
    FILE *status = sysfile_open(root, "/proc/self/status");
    if (status == NULL) {
        return false;
    }
    bool exempt = status_exempts(status);
    fclose(status);
    return exempt;
}

static void bind_tasks(struct limits_connections *limits, const char *root)
{
    struct rlimit processes;
    uint64_t number = cgroup_pids(root);
    if (number != CGROUP_UNLIMITED) {
        bind_limit(limits, less_reserve(number, 8, 64), "cgroup pids.max ", number, "");
    }
    if (prlimit(0, RLIMIT_NPROC, NULL, &processes) == 0 && processes.rlim_cur != RLIM_INFINITY &&
        !processes_exempt(root)) {
        bind_limit(limits, less_reserve(processes.rlim_cur, 8, 64), "processes (ulimit -u ",
                   processes.rlim_cur, ")");
    }
    if (sysfile_number(root, "/proc/sys/kernel/pid_max", &number)) {
        bind_limit(limits, less_reserve(number, 64, 1024), "kernel.pid_max ", number, "");
    }
    if (sysfile_number(root, "/proc/sys/kernel/threads-max", &number)) {
        bind_limit(limits, less_reserve(number, 64, 1024), "kernel.threads-max ", number, "");
    }
}

static void bind_maps(struct limits_connections *limits, const char *root)
{
    uint64_t maps;
    if (sysfile_number(root, "/proc/sys/vm/max_map_count", &maps)) {
        bind_limit(limits, less_reserve(maps, 64, 1024) / MAPS_A_STACK, "vm.max_map_count ", maps, "");
    }
}

/* The message has KiB, like ulimit -v. */
static void bind_address_space(struct limits_connections *limits)
{
    struct rlimit space;
    struct rlimit stack;
    if (prlimit(0, RLIMIT_AS, NULL, &space) == 0 && space.rlim_cur != RLIM_INFINITY &&
        prlimit(0, RLIMIT_STACK, NULL, &stack) == 0 && stack.rlim_cur > 0) {
        bind_limit(limits, space.rlim_cur / stack.rlim_cur, "address space (ulimit -v ",
                   space.rlim_cur / 1024, ")");
    }
}

void limits_threads(struct limits_connections *limits, const char *root)
{
    *limits = (struct limits_connections){.count = SCOREBOARD_CONNECTIONS_MAX, .name = "system memory"};
    bind_tasks(limits, root);
    bind_maps(limits, root);
    bind_address_space(limits);
}

void limits_connections(struct limits_connections *limits, const char *root, enum limits_cost cost,
                        unsigned own_descriptors)
{
    *limits =
        (struct limits_connections){.count = SCOREBOARD_CONNECTIONS_MAX, .name = "the maximum of echod"};
    bind_descriptors(limits, root, own_descriptors);
    switch (cost) {
    case LIMITS_DESCRIPTOR: break;
    case LIMITS_THREAD:
        bind_tasks(limits, root);
        bind_maps(limits, root);
        break;
    case LIMITS_PROCESS: bind_tasks(limits, root); break;
    case LIMITS_STACK: bind_maps(limits, root); break;
    }
}
