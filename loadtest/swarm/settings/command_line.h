/* SPDX-License-Identifier: MIT */
/* The command line, read into struct options; the text of --help. */
#ifndef ECHOD_LOADTEST_SWARM_SETTINGS_COMMAND_LINE_H
#define ECHOD_LOADTEST_SWARM_SETTINGS_COMMAND_LINE_H

#include <stddef.h>
#include <stdio.h>

#include "loadtest/swarm/settings/options.h"

enum command_line_outcome {
    COMMAND_LINE_RUN,
    COMMAND_LINE_HELP,    /* --help or -h came: print command_line_help(), exit 0 */
    COMMAND_LINE_VERSION, /* --version came: print it, exit 0 */
    COMMAND_LINE_BAD      /* say error on stderr, exit 2 */
};

/*
 * Reads argv[1] to argv[argc - 1]. Flags of a class before the first --class are the defaults of all classes; without
 * --class they make one, "main". A flag given twice: the last one counts, --target and --header add up. On
 * COMMAND_LINE_BAD, error (of size bytes) holds one line without a newline; *options is whole after COMMAND_LINE_RUN
 * only.
 */
enum command_line_outcome command_line_parse(struct options *options, int argc, char *const *argv,
                                             char *error, size_t size);

/* Writes the text of --help: at most 80 columns and 60 lines. */
void command_line_help(FILE *out);

#endif
