/* SPDX-License-Identifier: MIT */
/* CPUs and connections that limits allow. Every case runs in a process of its own, so that it can lower
 * limits. */
#include <criterion/criterion.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "server/system/limits.h"
#include "tests/unit/support/fixture_tree.h"

#define MOUNT      "30 23 0:26 / /sys/fs/cgroup rw,nosuid,relatime - cgroup2 cgroup2 rw\n"
#define USER       "Name:\techod\nUid:\t1000\t1000\t1000\t1000\nCapEff:\t0000000000000000\n"
#define ROOT       "Name:\techod\nUid:\t0\t0\t0\t0\nCapEff:\t0000000000000000\n"
#define RESOURCE   "Uid:\t1000\t1000\t1000\t1000\nCapEff:\t0000000001000000\n"
#define ADMIN      "Uid:\t1000\t1000\t1000\t1000\nCapEff:\t0000000000200000\n"
#define OTHER      "Uid:\t1000\t1000\t1000\t1000\nCapEff:\t0000000000400400\n"
#define FIRST_MAP  "         0          0 4294967295\n"
#define SECOND_MAP "         0       1000          1\n"

static char root[FIXTURE_TREE_SIZE];

static void make_root(void)
{
    fixture_tree_new(root);
}

static void remove_root(void)
{
    fixture_tree_free(root);
}

TestSuite(limits, .init = make_root, .fini = remove_root);

/* What the prlimit below answers from. */
static struct {
    bool fake;
    bool refuse_get;
    bool refuse_set;
    struct rlimit descriptors;
    struct rlimit processes;
} kernel;

/* Stands before the C library's: a hard limit that was really lowered could not be raised again, and Valgrind
 * does not let it be lowered. */
int prlimit(pid_t pid, enum __rlimit_resource resource, const struct rlimit *new, struct rlimit *old)
{
    cr_assert_eq(pid, 0);
    if (!kernel.fake) {
        return old != NULL ? getrlimit(resource, old) : setrlimit(resource, new);
    }
    if (new == NULL ? kernel.refuse_get : kernel.refuse_set) {
        return -1;
    }
    struct rlimit *limit = resource == RLIMIT_NOFILE ? &kernel.descriptors : &kernel.processes;
    if (old != NULL) {
        *old = *limit;
    }
    if (new != NULL) {
        cr_assert(resource == RLIMIT_NOFILE && new->rlim_max == limit->rlim_max);
        *limit = *new;
    }
    return 0;
}

static void set_limits(rlim_t soft_descriptors, rlim_t hard_descriptors, rlim_t processes)
{
    kernel.fake = true;
    kernel.descriptors = (struct rlimit){soft_descriptors, hard_descriptors};
    kernel.processes = (struct rlimit){processes, RLIM_INFINITY};
}

static unsigned affinity(void)
{
    cpu_set_t set;
    cr_assert_eq(sched_getaffinity(0, sizeof(set), &set), 0);
    return (unsigned)CPU_COUNT(&set);
}

Test(limits, cpus_by_affinity)
{
    cr_assert_eq(limits_cpus(root), affinity());
    cpu_set_t all;
    cpu_set_t one;
    cr_assert_eq(sched_getaffinity(0, sizeof(all), &all), 0);
    CPU_ZERO(&one);
    for (size_t cpu = 0; CPU_COUNT(&one) == 0; cpu++) {
        if (CPU_ISSET(cpu, &all)) {
            CPU_SET(cpu, &one);
        }
    }
    cr_assert_eq(sched_setaffinity(0, sizeof(one), &one), 0);
    cr_assert_eq(limits_cpus(root), 1u);
}

Test(limits, cpus_by_quota)
{
    static const struct {
        const char *quota;
        unsigned cpus; /* where the affinity has as many */
    } cases[] = {
        {"10000 100000\n", 1}, {"100000 100000\n", 1}, {"100001 100000\n", 2}, {"max 100000\n", 65536}};
    fixture_tree_write(root, "/proc/self/mountinfo", MOUNT);
    fixture_tree_write(root, "/proc/self/cgroup", "0::/a\n");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fixture_tree_write(root, "/sys/fs/cgroup/a/cpu.max", cases[i].quota);
        unsigned expected = cases[i].cpus < affinity() ? cases[i].cpus : affinity();
        cr_expect_eq(limits_cpus(root), expected, "%s", cases[i].quota);
    }
}

/* The reserve is 8 descriptors and at most 64 of them, besides those that are open or wanted. */
Test(limits, descriptors)
{
    static const struct {
        rlim_t limit;
        unsigned own;
        unsigned open;
        unsigned count;
    } cases[] = {
        {4096, 0, 0, 4032}, {1024, 0, 0, 960}, {256, 0, 0, 240}, {128, 0, 0, 120},
        {64, 0, 0, 56},     {64, 9, 5, 42},    {32, 20, 5, 1},   {24, 40, 5, 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct limits_connections limits;
        char name[64];
        for (unsigned fd = 0; fd < cases[i].open; fd++) {
            char path[64];
            snprintf(path, sizeof(path), "/proc/self/fd/%u", fd);
            fixture_tree_write(root, path, "");
        }
        set_limits(cases[i].limit, cases[i].limit, RLIM_INFINITY);
        limits_connections(&limits, root, LIMITS_DESCRIPTOR, cases[i].own);
        snprintf(name, sizeof(name), "descriptors (ulimit -n %u)", (unsigned)cases[i].limit);
        cr_expect_eq(limits.count, cases[i].count, "row %zu: %u", i, limits.count);
        cr_expect_str_eq(limits.name, name, "row %zu: %s", i, limits.name);
    }
}

Test(limits, soft_limit_is_raised)
{
    struct limits_connections limits;
    set_limits(64, 512, RLIM_INFINITY);
    limits_connections(&limits, root, LIMITS_DESCRIPTOR, 0);
    cr_assert_eq(limits.count, 512u - 32u);
    cr_assert_str_eq(limits.name, "descriptors (ulimit -n 512)");
    cr_assert_eq(kernel.descriptors.rlim_cur, (rlim_t)512);
}

Test(limits, soft_limit_that_cannot_be_raised_holds)
{
    struct limits_connections limits;
    set_limits(64, 512, RLIM_INFINITY);
    kernel.refuse_set = true;
    limits_connections(&limits, root, LIMITS_DESCRIPTOR, 0);
    cr_assert_eq(limits.count, 64u - 8u);
    cr_assert_str_eq(limits.name, "descriptors (ulimit -n 64)");
}

Test(limits, without_limits_the_range_of_the_flag_holds)
{
    struct limits_connections limits;
    set_limits(0, 0, 0);
    kernel.refuse_get = true;
    limits_connections(&limits, root, LIMITS_THREAD, 0);
    cr_assert_eq(limits.count, SCOREBOARD_CONNECTIONS_MAX);
    kernel.refuse_get = false;
    set_limits(1073741816, 1073741816, RLIM_INFINITY);
    limits_connections(&limits, root, LIMITS_DESCRIPTOR, 0);
    cr_assert_eq(limits.count, SCOREBOARD_CONNECTIONS_MAX);
    cr_assert_str_eq(limits.name, "the maximum of echod");
}

Test(limits, open_descriptors_count)
{
    struct limits_connections before;
    struct limits_connections after;
    set_limits(128, 128, RLIM_INFINITY);
    limits_connections(&before, "", LIMITS_DESCRIPTOR, 0);
    for (int i = 0; i < 3; i++) {
        cr_assert_geq(dup(0), 0);
    }
    limits_connections(&after, "", LIMITS_DESCRIPTOR, 0);
    cr_assert_eq(after.count, before.count - 3);
}

/* Files of the tree (NULL: absent), RLIMIT_NPROC, and what binds with thousands of descriptors. */
struct tasks {
    const char *pids_max;
    const char *pid_max;
    const char *threads_max;
    const char *max_map_count;
    const char *status;
    const char *uid_map;
    rlim_t processes;
    enum limits_cost cost;
    unsigned count;
    const char *name;
};

#define BIG       "4194304\n"
#define UNBOUND   NULL, NULL, RLIM_INFINITY
#define DESCRIPTS "descriptors (ulimit -n 2048)"

static const struct tasks TASKS[] = {
    {"20\n", "64\n", "64\n", "64\n", USER, FIRST_MAP, 20, LIMITS_DESCRIPTOR, 1984, DESCRIPTS},
    {BIG, BIG, BIG, BIG, UNBOUND, LIMITS_THREAD, 1984, DESCRIPTS},
    {BIG, BIG, BIG, BIG, UNBOUND, LIMITS_PROCESS, 1984, DESCRIPTS},
    {NULL, NULL, NULL, NULL, UNBOUND, LIMITS_THREAD, 1984, DESCRIPTS},
    {"max\n", BIG, BIG, BIG, UNBOUND, LIMITS_THREAD, 1984, DESCRIPTS},
    {"1000\n", BIG, BIG, BIG, UNBOUND, LIMITS_THREAD, 936, "cgroup pids.max 1000"},
    {"100\n", BIG, BIG, BIG, UNBOUND, LIMITS_PROCESS, 88, "cgroup pids.max 100"},
    {"20\n", BIG, BIG, BIG, UNBOUND, LIMITS_PROCESS, 12, "cgroup pids.max 20"},
    {"5\n", BIG, BIG, BIG, UNBOUND, LIMITS_PROCESS, 1, "cgroup pids.max 5"},
    {BIG, "1024\n", BIG, BIG, UNBOUND, LIMITS_THREAD, 896, "kernel.pid_max 1024"},
    {BIG, "1024\n", BIG, BIG, UNBOUND, LIMITS_PROCESS, 896, "kernel.pid_max 1024"},
    {BIG, BIG, "2000\n", BIG, UNBOUND, LIMITS_THREAD, 1750, "kernel.threads-max 2000"},
    {BIG, BIG, "2000\n", BIG, UNBOUND, LIMITS_PROCESS, 1750, "kernel.threads-max 2000"},
    {BIG, BIG, BIG, "1000\n", UNBOUND, LIMITS_THREAD, 437, "vm.max_map_count 1000"},
    {BIG, BIG, BIG, "1000\n", UNBOUND, LIMITS_PROCESS, 1984, DESCRIPTS},
    {"20\n", "64\n", "64\n", BIG, USER, FIRST_MAP, 20, LIMITS_STACK, 1984, DESCRIPTS},
    {BIG, BIG, BIG, "1000\n", UNBOUND, LIMITS_STACK, 437, "vm.max_map_count 1000"},
    {BIG, BIG, BIG, BIG, USER, FIRST_MAP, 100, LIMITS_THREAD, 88, "processes (ulimit -u 100)"},
    {BIG, BIG, BIG, BIG, USER, FIRST_MAP, 100, LIMITS_PROCESS, 88, "processes (ulimit -u 100)"},
    {BIG, BIG, BIG, BIG, OTHER, FIRST_MAP, 100, LIMITS_THREAD, 88, "processes (ulimit -u 100)"},
    {BIG, BIG, BIG, BIG, ROOT, FIRST_MAP, 100, LIMITS_THREAD, 1984, DESCRIPTS},
    {BIG, BIG, BIG, BIG, RESOURCE, FIRST_MAP, 100, LIMITS_THREAD, 1984, DESCRIPTS},
    {BIG, BIG, BIG, BIG, ADMIN, FIRST_MAP, 100, LIMITS_THREAD, 1984, DESCRIPTS},
    {BIG, BIG, BIG, BIG, ROOT, SECOND_MAP, 100, LIMITS_THREAD, 88, "processes (ulimit -u 100)"},
    {BIG, BIG, BIG, BIG, NULL, FIRST_MAP, 100, LIMITS_THREAD, 88, "processes (ulimit -u 100)"},
    {BIG, BIG, BIG, BIG, ROOT, "nonsense\n", 100, LIMITS_THREAD, 88, "processes (ulimit -u 100)"},
    {BIG, BIG, BIG, BIG, ROOT, NULL, 100, LIMITS_THREAD, 88, "processes (ulimit -u 100)"},
};

static void write_if(const char *path, const char *text)
{
    if (text != NULL) {
        fixture_tree_write(root, path, text);
    }
}

static void expect_tasks(const struct tasks *c, size_t row)
{
    struct limits_connections limits;
    write_if("/proc/self/mountinfo", MOUNT);
    write_if("/proc/self/cgroup", "0::/\n");
    write_if("/sys/fs/cgroup/pids.max", c->pids_max);
    write_if("/proc/sys/kernel/pid_max", c->pid_max);
    write_if("/proc/sys/kernel/threads-max", c->threads_max);
    write_if("/proc/sys/vm/max_map_count", c->max_map_count);
    write_if("/proc/self/status", c->status);
    write_if("/proc/self/uid_map", c->uid_map);
    set_limits(2048, 2048, c->processes);
    limits_connections(&limits, root, c->cost, 0);
    cr_expect_eq(limits.count, c->count, "row %zu: %u", row, limits.count);
    cr_expect_str_eq(limits.name, c->name, "row %zu: %s", row, limits.name);
}

Test(limits, tasks)
{
    for (size_t i = 0; i < sizeof(TASKS) / sizeof(TASKS[0]); i++) {
        expect_tasks(&TASKS[i], i);
        fixture_tree_free(root);
        fixture_tree_new(root);
    }
}

Test(limits, this_machine)
{
    static const enum limits_cost costs[] = {LIMITS_DESCRIPTOR, LIMITS_THREAD, LIMITS_PROCESS, LIMITS_STACK};
    for (size_t i = 0; i < sizeof(costs) / sizeof(costs[0]); i++) {
        struct limits_connections limits;
        limits_connections(&limits, "", costs[i], 0);
        cr_expect_geq(limits.count, 1u);
        cr_expect_leq(limits.count, SCOREBOARD_CONNECTIONS_MAX);
        cr_expect_gt(strlen(limits.name), 0u);
    }
    struct rlimit descriptors;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &descriptors), 0);
    cr_assert_eq(descriptors.rlim_cur, descriptors.rlim_max);
}
