/* SPDX-License-Identifier: MIT */
/* Small files of /proc and /sys, read below a root that a test can choose. */
#ifndef ECHOD_SERVER_SYSTEM_SYSFILE_H
#define ECHOD_SERVER_SYSTEM_SYSFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Opens root followed by path for reading, close-on-exec; NULL if that fails. The caller closes it. */
FILE *sysfile_open(const char *root, const char *path);

/* Reads the first line, without its newline and cut at size - 1 bytes; false if there is no such file or
 * line. */
bool sysfile_line(const char *root, const char *path, char *line, size_t size);

/* Reads a file that holds one whole number; false if it does not. */
bool sysfile_number(const char *root, const char *path, uint64_t *number);

/* How many names the directory holds, . and .. not counted; 0 if it cannot be read. */
unsigned sysfile_entries(const char *root, const char *path);

#endif
