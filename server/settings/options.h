/* SPDX-License-Identifier: MIT */
/* The command line and its environment variables as one value; the text of --help. */
#ifndef ECHOD_SERVER_SETTINGS_OPTIONS_H
#define ECHOD_SERVER_SETTINGS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "server/net/listen_spec.h"
#include "server/net/listeners.h"

/* The value of --check without a URL. */
#define OPTIONS_CHECK_OWN ""

enum options_log_format { OPTIONS_LOG_TEXT, OPTIONS_LOG_JSON };

struct options_listen {
    unsigned count;
    struct listen_spec items[LISTENERS_SPEC_MAX];
};

/* One member per flag, named after it. Sizes are in bytes, durations (_ms) in milliseconds. Strings point into argv
 * or the environment, which must outlive them; `mode` points into the table of modes. */
struct options {
    const char *mode;
    struct options_listen listen;
    unsigned loops;   /* 0: one per usable CPU */
    unsigned workers; /* 0: the mode chooses */
    unsigned queue;
    uint64_t stack_size;
    unsigned max_connections; /* 0: as many as the system limits allow */
    unsigned backlog;
    uint64_t max_header_size;
    uint64_t max_body_size;
    uint64_t max_buffer_memory;
    uint64_t header_timeout_ms;
    uint64_t body_timeout_ms;
    uint64_t idle_timeout_ms;
    uint64_t drain_delay_ms;
    uint64_t drain_timeout_ms; /* 0: the drain cuts remaining connections off at once */
    const char *access_log;    /* NULL: none; "-": stdout; otherwise the path of a file */
    enum options_log_format log_format;
    struct options_listen admin_listen;
    bool cors;
    /* NULL; or the URL to request instead of serving; OPTIONS_CHECK_OWN: /healthz of options_checked_listener() */
    const char *check;
    bool listens_on_port; /* `listen` was set by the variable PORT */
    bool verbose;
};

/* The name of a mode for the command line. A table of them ends with a row whose name is NULL. */
struct mode_name {
    const char *name;
    const char *summary; /* for --help: one line of at most 66 columns */
};

enum options_outcome {
    OPTIONS_RUN,      /* serve with these options */
    OPTIONS_HELP,     /* --help or -h: print options_help() with the most used flags, exit 0 */
    OPTIONS_HELP_ALL, /* --help all: print it with all flags, exit 0 */
    OPTIONS_VERSION,  /* --version: print it, exit 0 */
    OPTIONS_CHECK,    /* --check: send the request that options->check names, exit by its answer */
    OPTIONS_BAD       /* print the error on stderr, exit 2 */
};

/* Reads argv[1] to argv[argc - 1] and the ECHOD_ variables of envp (NULL-terminated) over the defaults.
 *
 * - A flag takes precedence over its variable, the variable over the default. A variable whose flag is given is not
 *   read.
 * - If a flag is given twice the last one counts; repeatable flags (--listen, --admin-listen) add up.
 * - An empty variable counts as not set. Blanks around the commas of a list are ignored.
 * - Other variables that begin with ECHOD_ are ignored: Kubernetes sets ECHOD_PORT and ECHOD_SERVICE_HOST for a service
 *   named echod.
 * - --help and --version end the reading: mistakes after them and in the environment do not count.
 * - Without --listen and ECHOD_LISTEN the variable PORT, which hosting platforms set, means --listen *:$PORT.
 * - A switch (--verbose, --cors) stands alone or takes =true or =false (also yes, no, on, off, 1, 0, in any case). So
 *   does its variable; =false on the command line reverts the variable.
 * - --check stands alone or takes a URL. Alone it needs a port to ask: the first address must not have port 0.
 *
 * On OPTIONS_BAD, `error` (of `size` bytes) holds one line without a newline, with the flag or variable, the value,
 * and the allowed values. *options is complete only after OPTIONS_RUN and OPTIONS_CHECK. The main thread, before it
 * starts others. */
enum options_outcome options_parse(struct options *options, int argc, char *const *argv, char *const *envp,
                                   const struct mode_name *modes, char *error, size_t size);

/* The listener that --check without a URL asks: the first of --admin-listen, else of --listen. */
const struct listen_spec *options_checked_listener(const struct options *options);

/* Writes the text of --help, with all flags that of --help all: at most 80 columns, and 24 lines unless `all`. */
void options_help(FILE *out, const struct mode_name *modes, bool all);

#endif
