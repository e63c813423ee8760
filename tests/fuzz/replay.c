/* SPDX-License-Identifier: MIT */
/* Runs a fuzz target over files and folders of files, without libFuzzer: what was found once stays found. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"

static unsigned long run;

static void replay_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "re");
    uint8_t *bytes = malloc(size > 0 ? size : 1);
    if (file == NULL || bytes == NULL || fread(bytes, 1, size, file) != size) {
        fprintf(stderr, "replay: %s cannot be read\n", path);
        exit(2);
    }
    fclose(file);
    fprintf(stderr, "%s\n", path); /* the last one is to blame if the program ends here */
    LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    run++;
}

static void replay_path(const char *path);

static void replay_folder(const char *path)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char *inner = NULL;
        if (entries[i]->d_name[0] != '.' && asprintf(&inner, "%s/%s", path, entries[i]->d_name) >= 0) {
            replay_path(inner);
        }
        free(inner);
        free(entries[i]);
    }
    free(entries);
}

static void replay_path(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        return; /* no input was ever found for this target */
    }
    if (S_ISDIR(status.st_mode)) {
        replay_folder(path);
    } else {
        replay_file(path, (size_t)status.st_size);
    }
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        replay_path(argv[i]);
    }
    fprintf(stderr, "%lu inputs\n", run);
    return run > 0 ? 0 : 1;
}
