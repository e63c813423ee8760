/* SPDX-License-Identifier: MIT */
/* The command line and its environment variables, read into struct options; the text of --help. */
#ifndef ECHOD_SERVER_SETTINGS_COMMAND_LINE_H
#define ECHOD_SERVER_SETTINGS_COMMAND_LINE_H

#include <stddef.h>
#include <stdio.h>

#include "server/settings/options.h"

enum command_line_outcome {
    COMMAND_LINE_RUN,      /* serve with these options */
    COMMAND_LINE_HELP,     /* --help or -h: print command_line_help() with the most used flags, exit 0 */
    COMMAND_LINE_HELP_ALL, /* --help all: print it with all flags, exit 0 */
    COMMAND_LINE_VERSION,  /* --version: print it, exit 0 */
    COMMAND_LINE_CHECK,    /* --check: send the request that options->check names, exit by its answer */
    COMMAND_LINE_BAD       /* print the error on stderr, exit 2 */
};

/* Reads argv[1] to argv[argc - 1] and the ECHOD_ variables of envp (NULL-terminated) over the defaults.
 *
 * - A flag takes precedence over its variable, the variable over the default. A variable whose flag is given is not
 *   read.
 * - If a flag is given twice the last one counts; repeatable flags (--listen, --admin-listen, --log-skip,
 *   --default-header) add up.
 * - An empty variable counts as not set. The variable of a repeatable flag has commas between the values,
 *   ECHOD_DEFAULT_HEADER newlines; blanks around them are ignored.
 * - --log-headers needs --log-format json, and --default-delay must not exceed --max-delay.
 * - Other variables that begin with ECHOD_ are ignored: Kubernetes sets ECHOD_PORT and ECHOD_SERVICE_HOST for a service
 *   named echod.
 * - --help and --version end the reading: mistakes after them and in the environment do not count.
 * - Without --listen and ECHOD_LISTEN the variable PORT, which hosting platforms set, means --listen *:$PORT.
 * - A switch (--verbose, --cors) stands alone or takes =true or =false (also yes, no, on, off, 1, 0, in any case). So
 *   does its variable; =false on the command line reverts the variable.
 * - --check stands alone or takes a URL. Alone it needs a port to ask: the first address must not have port 0.
 *
 * On COMMAND_LINE_BAD, `error` (of `size` bytes) holds one line without a newline, with the flag or variable, the
 * value, and the allowed values. *options is complete only after COMMAND_LINE_RUN and COMMAND_LINE_CHECK. The main
 * thread, before it starts others. */
enum command_line_outcome command_line_parse(struct options *options, int argc, char *const *argv,
                                             char *const *envp, const struct mode_name *modes, char *error,
                                             size_t size);

/* Writes the text of --help to `out`, or with `all` the text of --help all: lines of at most 80 columns, and without
 * `all` at most 24 of them. The caller checks `out` for errors. Main thread. */
void command_line_help(FILE *out, const struct mode_name *modes, bool all);

#endif
