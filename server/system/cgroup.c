/* SPDX-License-Identifier: MIT */
/* Finds the process's control groups and the least limit among them and their parents. */
#include "server/system/cgroup.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/number.h"
#include "server/system/sysfile.h"

enum version { VERSION_1 = 1, VERSION_2 = 2 };

/* A mounted hierarchy. The texts point into the line it was read from. */
struct mount {
    enum version version;
    const char *root;  /* the group that is visible at `point` */
    const char *point; /* the directory */
};

/* One kind of limit: its controller, and the function that reads it in the directory of a group. */
struct limit {
    const char *controller;
    uint64_t (*read)(const char *directory, enum version version);
};

static bool list_contains(const char *list, const char *item)
{
    size_t length = strlen(item);
    for (;; list++) {
        size_t next = strcspn(list, ",");
        if (next == length && memcmp(list, item, length) == 0) {
            return true;
        }
        list += next;
        if (*list == '\0') {
            return false;
        }
    }
}

/* Reads a line of /proc/self/mountinfo (proc(5)). False if it is not a hierarchy that can have the controller. */
static bool parse_mount(char *line, const char *controller, struct mount *mount)
{
    char *rest;
    char *fields[5] = {NULL};
    char *field = strtok_r(line, " \n", &rest);
    for (int i = 0; i < 5 && field != NULL; i++, field = strtok_r(NULL, " \n", &rest)) {
        fields[i] = field;
    }
    while (field != NULL && strcmp(field, "-") != 0) {
        field = strtok_r(NULL, " \n", &rest);
    }
    const char *type = strtok_r(NULL, " \n", &rest);
    const char *source = strtok_r(NULL, " \n", &rest);
    const char *options = strtok_r(NULL, " \n", &rest);
    if (fields[4] == NULL || type == NULL || source == NULL || options == NULL) {
        return false;
    }
    bool unified = strcmp(type, "cgroup2") == 0;
    *mount =
        (struct mount){.version = unified ? VERSION_2 : VERSION_1, .root = fields[3], .point = fields[4]};
    return unified || (strcmp(type, "cgroup") == 0 && list_contains(options, controller));
}

/* Finds the process's group: a line `number:controllers:path`, version 2 with the number 0 and no
 * controllers. */
static bool find_group(const char *root, const char *controller, enum version version, char *group,
                       size_t size)
{
    FILE *file = sysfile_open(root, "/proc/self/cgroup");
    char *line = NULL;
    size_t capacity = 0;
    bool found = false;
    while (file != NULL && !found && getline(&line, &capacity, file) > 0) {
        char *controllers = strchr(line, ':');
        char *path = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
        if (path != NULL) {
            *path++ = '\0';
            controllers++;
            found = version == VERSION_2 ? strncmp(line, "0:", 2) == 0 && *controllers == '\0'
                                         : list_contains(controllers, controller);
        }
        if (found) {
            path[strcspn(path, "\n")] = '\0';
            found = snprintf(group, size, "%s", path) < (int)size;
        }
    }
    free(line);
    if (file != NULL) {
        fclose(file);
    }
    return found;
}

/* Returns the path from the mount point to the group; empty if the group is not visible at the mount. */
static const char *below_mount(const char *group, const struct mount *mount)
{
    size_t length = strcmp(mount->root, "/") == 0 ? 0 : strlen(mount->root);
    bool inside = strncmp(group, mount->root, length) == 0 && (group[length] == '/' || group[length] == '\0');
    return inside && strcmp(group, "/") != 0 && strstr(group, "/..") == NULL ? group + length : "";
}

/* Returns the lowest limit of the group and its parents, as far as they are visible at the mount. */
static uint64_t least_in_mount(const char *root, const struct mount *mount, const struct limit *limit)
{
    char group[PATH_MAX];
    char directory[PATH_MAX];
    if (!find_group(root, limit->controller, mount->version, group, sizeof(group))) {
        return CGROUP_UNLIMITED;
    }
    int top = snprintf(directory, sizeof(directory), "%s%s", root, mount->point);
    int length =
        snprintf(directory, sizeof(directory), "%s%s%s", root, mount->point, below_mount(group, mount));
    if (length >= (int)sizeof(directory)) {
        return CGROUP_UNLIMITED;
    }
    uint64_t least = CGROUP_UNLIMITED;
    for (;;) {
        uint64_t here = limit->read(directory, mount->version);
        least = here < least ? here : least;
        char *slash = strrchr(directory, '/');
        if (slash == NULL || slash - directory < top) {
            return least;
        }
        *slash = '\0';
    }
}

static uint64_t least_limit(const char *root, const struct limit *limit)
{
    FILE *file = sysfile_open(root, "/proc/self/mountinfo");
    char *line = NULL;
    size_t capacity = 0;
    uint64_t least = CGROUP_UNLIMITED;
    while (file != NULL && getline(&line, &capacity, file) > 0) {
        struct mount mount;
        if (parse_mount(line, limit->controller, &mount)) {
            uint64_t here = least_in_mount(root, &mount, limit);
            least = here < least ? here : least;
        }
    }
    free(line);
    if (file != NULL) {
        fclose(file);
    }
    return least;
}

static uint64_t cpus_of(uint64_t quota, uint64_t period)
{
    if (period == 0) {
        return CGROUP_UNLIMITED;
    }
    uint64_t cpus = quota / period + (quota % period != 0);
    return cpus > 0 ? cpus : 1;
}

/* Version 1 has -1 for no quota, version 2 "max 100000". */
static uint64_t read_cpus(const char *directory, enum version version)
{
    uint64_t quota;
    uint64_t period;
    if (version == VERSION_1) {
        return sysfile_number(directory, "/cpu.cfs_quota_us", &quota) &&
                       sysfile_number(directory, "/cpu.cfs_period_us", &period)
                   ? cpus_of(quota, period)
                   : CGROUP_UNLIMITED;
    }
    char line[64];
    if (!sysfile_line(directory, "/cpu.max", line, sizeof(line))) {
        return CGROUP_UNLIMITED;
    }
    size_t first = strcspn(line, " ");
    const char *second = line + first + strspn(line + first, " ");
    return number_parse_u64(line, first, UINT64_MAX, &quota) == 0 &&
                   number_parse_u64(second, strlen(second), UINT64_MAX, &period) == 0
               ? cpus_of(quota, period)
               : CGROUP_UNLIMITED;
}

/* A number or "max", in both versions. */
static uint64_t read_pids(const char *directory, enum version version)
{
    (void)version;
    uint64_t pids;
    return sysfile_number(directory, "/pids.max", &pids) ? pids : CGROUP_UNLIMITED;
}

uint64_t cgroup_cpus(const char *root)
{
    return least_limit(root, &(struct limit){.controller = "cpu", .read = read_cpus});
}

uint64_t cgroup_pids(const char *root)
{
    return least_limit(root, &(struct limit){.controller = "pids", .read = read_pids});
}
