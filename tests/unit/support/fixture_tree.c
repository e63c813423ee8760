/* SPDX-License-Identifier: MIT */
/* Makes, fills and removes a temporary directory. */
#include "tests/unit/support/fixture_tree.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void require(bool good, const char *what)
{
    if (!good) {
        perror(what);
        abort();
    }
}

void fixture_tree_new(char root[FIXTURE_TREE_SIZE])
{
    snprintf(root, FIXTURE_TREE_SIZE, "/tmp/echod-test-XXXXXX");
    require(mkdtemp(root) != NULL, root);
}

void fixture_tree_write(const char *root, const char *path, const char *text)
{
    char full[PATH_MAX];
    snprintf(full, sizeof(full), "%s%s", root, path);
    for (char *slash = full + strlen(root) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        require(mkdir(full, 0700) == 0 || errno == EEXIST, full);
        *slash = '/';
    }
    FILE *file = fopen(full, "we");
    require(file != NULL, full);
    require(fputs(text, file) >= 0 && fclose(file) == 0, full);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *position)
{
    (void)status;
    (void)type;
    (void)position;
    return remove(path);
}

void fixture_tree_free(const char *root)
{
    require(nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0, root);
}
