/* SPDX-License-Identifier: MIT */
/* Limits of control groups, on trees of files as kernels of both versions and containers show them. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "server/system/cgroup.h"
#include "tests/unit/support/fixture_tree.h"

#define NONE    CGROUP_UNLIMITED
#define NOISE   "22 28 0:21 / /proc rw,nosuid shared:12 - proc proc rw\n"
#define MOUNT_2 "30 23 0:26 / /sys/fs/cgroup rw,nosuid,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
#define MOUNT_1_CPU \
    "31 23 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:5 master:1 - cgroup cgroup rw,cpu,cpuacct\n"
#define MOUNT_1_PIDS "32 23 0:28 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids\n"
#define V1(file)     "/sys/fs/cgroup/cpu,cpuacct" file
#define V2(file)     "/sys/fs/cgroup" file

struct file {
    const char *path;
    const char *text;
};

struct tree {
    const char *name;
    uint64_t cpus;
    uint64_t pids;
    const char *mounts;
    const char *groups;
    struct file files[8];
};

static const struct tree TREES[] = {
    {"nothing there", NONE, NONE, NULL, NULL, {{0}}},
    {"no mounts", NONE, NONE, NULL, "0::/\n", {{V2("/pids.max"), "7\n"}}},
    {"no groups", NONE, NONE, MOUNT_2, NULL, {{V2("/pids.max"), "7\n"}}},
    {"root group without files", NONE, NONE, NOISE MOUNT_2, "0::/\n", {{0}}},
    {"v2 unlimited",
     NONE,
     NONE,
     NOISE MOUNT_2,
     "0::/a.slice/b.service\n",
     {{V2("/a.slice/b.service/cpu.max"), "max 100000\n"}, {V2("/a.slice/b.service/pids.max"), "max\n"}}},
    {"v2 own group",
     2,
     100,
     MOUNT_2,
     "0::/a.slice/b.service\n",
     {{V2("/a.slice/b.service/cpu.max"), "200000 100000\n"},
      {V2("/a.slice/b.service/pids.max"), "100\n"},
      {V2("/a.slice/other/cpu.max"), "100000 100000\n"},
      {V2("/a.slice/other/pids.max"), "1\n"}}},
    {"v2 the least of the parents",
     3,
     50,
     MOUNT_2,
     "0::/a/b/c\n",
     {{V2("/a/b/c/cpu.max"), "800000 100000\n"},
      {V2("/a/b/cpu.max"), "250000 100000\n"},
      {V2("/a/cpu.max"), "max 100000\n"},
      {V2("/a/b/c/pids.max"), "max\n"},
      {V2("/a/pids.max"), "50\n"},
      {V2("/a/b/pids.max"), "60\n"}}},
    {"v2 the mount itself: a container's own namespace",
     1,
     20,
     MOUNT_2,
     "0::/\n",
     {{V2("/cpu.max"), "50000 100000\n"}, {V2("/pids.max"), "20\n"}}},
    {"v2 a container that sees the host's path but only its own directory",
     4,
     30,
     "30 23 0:26 /system.slice/docker-1.scope /sys/fs/cgroup ro - cgroup2 cgroup rw\n",
     "0::/system.slice/docker-1.scope\n",
     {{V2("/cpu.max"), "400000 100000\n"}, {V2("/pids.max"), "30\n"}}},
    {"v2 a group below what the mount shows",
     2,
     10,
     "30 23 0:26 /system.slice/docker-1.scope /sys/fs/cgroup ro - cgroup2 cgroup rw\n",
     "0::/system.slice/docker-1.scope/init\n",
     {{V2("/cpu.max"), "400000 100000\n"},
      {V2("/init/cpu.max"), "200000 100000\n"},
      {V2("/pids.max"), "30\n"},
      {V2("/init/pids.max"), "10\n"}}},
    {"v2 a group beside what the mount shows",
     4,
     NONE,
     "30 23 0:26 /a /sys/fs/cgroup ro - cgroup2 cgroup rw\n",
     "0::/ab/c\n",
     {{V2("/cpu.max"), "400000 100000\n"}, {V2("/b/c/cpu.max"), "100000 100000\n"}}},
    {"v2 a group above the namespace",
     4,
     NONE,
     MOUNT_2,
     "0::/../other\n",
     {{V2("/cpu.max"), "400000 100000\n"}, {"/sys/fs/other/cpu.max", "100000 100000\n"}}},
    {"v2 limits above the mount are not read",
     NONE,
     NONE,
     MOUNT_2,
     "0::/\n",
     {{"/sys/fs/cpu.max", "100000 100000\n"}, {"/sys/fs/pids.max", "1\n"}}},
    {"v1",
     2,
     40,
     NOISE MOUNT_1_CPU MOUNT_1_PIDS,
     "9:pids:/user\n4:cpu,cpuacct:/docker/1\n1:name=systemd:/docker/1\n",
     {{V1("/docker/1/cpu.cfs_quota_us"), "150000\n"},
      {V1("/docker/1/cpu.cfs_period_us"), "100000\n"},
      {V1("/cpu.cfs_quota_us"), "-1\n"},
      {V1("/cpu.cfs_period_us"), "100000\n"},
      {"/sys/fs/cgroup/pids/user/pids.max", "40\n"}}},
    {"v1 unlimited",
     NONE,
     NONE,
     MOUNT_1_CPU MOUNT_1_PIDS,
     "9:pids:/\n4:cpu,cpuacct:/\n",
     {{V1("/cpu.cfs_quota_us"), "-1\n"}, {V1("/cpu.cfs_period_us"), "100000\n"}}},
    {"v1 a parent",
     1,
     NONE,
     MOUNT_1_CPU,
     "4:cpuacct,cpu:/docker/1\n",
     {{V1("/docker/cpu.cfs_quota_us"), "1000\n"}, {V1("/docker/cpu.cfs_period_us"), "100000\n"}}},
    {"v1 a container that sees the host's path",
     3,
     NONE,
     "31 23 0:27 /docker/1 /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n",
     "4:cpu,cpuacct:/docker/1\n",
     {{V1("/cpu.cfs_quota_us"), "300000\n"}, {V1("/cpu.cfs_period_us"), "100000\n"}}},
    {"v1 another controller with a name that begins alike",
     NONE,
     NONE,
     "31 23 0:27 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n",
     "4:cpuset:/\n",
     {{"/sys/fs/cgroup/cpuset/cpu.cfs_quota_us", "100000\n"},
      {"/sys/fs/cgroup/cpuset/cpu.cfs_period_us", "100000\n"}}},
    {"hybrid: v1 controllers beside an empty v2",
     2,
     NONE,
     MOUNT_1_CPU "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n",
     "1:cpu,cpuacct:/a\n0::/a\n",
     {{V1("/a/cpu.cfs_quota_us"), "200000\n"},
      {V1("/a/cpu.cfs_period_us"), "100000\n"},
      {"/sys/fs/cgroup/unified/a/cgroup.procs", "1\n"}}},
    {"malformed files do not limit",
     NONE,
     NONE,
     "\nx\n30 23 0:26 / /sys/fs/cgroup rw -\n30 23 0:26 / /sys/fs/cgroup rw\n" MOUNT_2,
     "\nx\n0:\n0::/\n",
     {{V2("/cpu.max"), "100000\n"}, {V2("/pids.max"), "\n"}}},
    {"a period of zero does not limit", NONE, NONE, MOUNT_2, "0::/\n", {{V2("/cpu.max"), "100000 0\n"}}},
    {"a quota of zero is one CPU", 1, NONE, MOUNT_2, "0::/\n", {{V2("/cpu.max"), "0 100000\n"}}},
    {"pids.max of zero", NONE, 0, MOUNT_2, "0::/\n", {{V2("/pids.max"), "0\n"}}},
};

static void expect_limits(const struct tree *tree, const char *root)
{
    uint64_t cpus = cgroup_cpus(root);
    uint64_t pids = cgroup_pids(root);
    cr_expect_eq(cpus, tree->cpus, "%s: %" PRIu64 " CPUs", tree->name, cpus);
    cr_expect_eq(pids, tree->pids, "%s: %" PRIu64 " pids", tree->name, pids);
}

Test(cgroup, trees)
{
    for (size_t i = 0; i < sizeof(TREES) / sizeof(TREES[0]); i++) {
        const struct tree *tree = &TREES[i];
        char root[FIXTURE_TREE_SIZE];
        fixture_tree_new(root);
        if (tree->mounts != NULL) {
            fixture_tree_write(root, "/proc/self/mountinfo", tree->mounts);
        }
        if (tree->groups != NULL) {
            fixture_tree_write(root, "/proc/self/cgroup", tree->groups);
        }
        for (const struct file *file = tree->files; file->path != NULL; file++) {
            fixture_tree_write(root, file->path, file->text);
        }
        expect_limits(tree, root);
        fixture_tree_free(root);
    }
}

/* A group's path as long as the kernel never makes one: ignored, not overrun. */
Test(cgroup, a_path_that_is_too_long_does_not_limit)
{
    char root[FIXTURE_TREE_SIZE];
    fixture_tree_new(root);
    fixture_tree_write(root, "/proc/self/mountinfo", MOUNT_2);
    fixture_tree_write(root, "/sys/fs/cgroup/pids.max", "5\n");
    for (size_t length = 4080; length < 4100; length++) {
        char group[4200] = "0::/";
        memset(group + 4, 'a', length);
        fixture_tree_write(root, "/proc/self/cgroup", group);
        uint64_t pids = cgroup_pids(root);
        cr_expect(pids == 5 || pids == NONE, "%" PRIu64, pids);
    }
    fixture_tree_free(root);
}

Test(cgroup, this_machine)
{
    cr_assert_geq(cgroup_cpus(""), 1u);
    cr_assert_geq(cgroup_pids(""), 1u);
}
