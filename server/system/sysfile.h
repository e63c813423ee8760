/* SPDX-License-Identifier: MIT */
/* Reads small files of /proc and /sys, below a root that tests can choose: the functions read the path `root`
 * followed by `path`. Any thread. */
#ifndef ECHOD_SERVER_SYSTEM_SYSFILE_H
#define ECHOD_SERVER_SYSTEM_SYSFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Opens the file for reading, close-on-exec. Returns NULL if that fails. The caller closes it with fclose. */
FILE *sysfile_open(const char *root, const char *path);

/* Reads the first line without its newline, cut at `size` - 1 bytes. Returns false if there is no such file or line. */
bool sysfile_line(const char *root, const char *path, char *line, size_t size);

/* Reads a file whose first line is a decimal number. Returns false, and leaves *number unchanged, if it is not. */
bool sysfile_number(const char *root, const char *path, uint64_t *number);

/* Returns the number of entries of a directory, without . and ..; 0 if it cannot be read. */
unsigned sysfile_entries(const char *root, const char *path);

#endif
