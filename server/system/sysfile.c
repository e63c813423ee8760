/* SPDX-License-Identifier: MIT */
/* Reads small files of /proc and /sys. */
#include "server/system/sysfile.h"

#include <dirent.h>
#include <limits.h>
#include <string.h>

#include "common/base/number.h"

static bool join(char out[PATH_MAX], const char *root, const char *path)
{
    int length = snprintf(out, PATH_MAX, "%s%s", root, path);
    return length > 0 && length < PATH_MAX;
}

FILE *sysfile_open(const char *root, const char *path)
{
    char full[PATH_MAX];
    return join(full, root, path) ? fopen(full, "re") : NULL;
}

bool sysfile_line(const char *root, const char *path, char *line, size_t size)
{
    FILE *file = sysfile_open(root, path);
    if (file == NULL) {
        return false;
    }
    bool read = fgets(line, (int)size, file) != NULL;
    fclose(file);
    if (read) {
        line[strcspn(line, "\n")] = '\0';
    }
    return read;
}

bool sysfile_number(const char *root, const char *path, uint64_t *number)
{
    char line[64];
    return sysfile_line(root, path, line, sizeof(line)) &&
           number_parse_u64(line, strlen(line), UINT64_MAX, number) == 0;
}

unsigned sysfile_entries(const char *root, const char *path)
{
    char full[PATH_MAX];
    DIR *directory = join(full, root, path) ? opendir(full) : NULL;
    if (directory == NULL) {
        return 0;
    }
    unsigned count = 0;
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    }
    closedir(directory);
    return count;
}
