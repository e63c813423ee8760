/* SPDX-License-Identifier: MIT */
/* The command line and its environment variables, read into one value; the text of --help. */
#ifndef ECHOD_SERVER_SETTINGS_OPTIONS_H
#define ECHOD_SERVER_SETTINGS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "server/net/listen_spec.h"
#include "server/net/listeners.h"

/* The value of --check where it stands without a URL. */
#define OPTIONS_CHECK_OWN ""

enum options_log_format { OPTIONS_LOG_TEXT, OPTIONS_LOG_JSON };

struct options_listen {
    unsigned count;
    struct listen_spec items[LISTENERS_SPEC_MAX];
};

/*
 * Every flag, by its name. Sizes are in bytes, durations (_ms) in milliseconds. Strings point into argv or
 * the environment, which must outlive them; mode is the name from the table of modes.
 */
struct options {
    const char *mode;
    struct options_listen listen;
    unsigned loops;   /* 0: as many as CPUs are usable */
    unsigned workers; /* 0: as the mode chooses */
    unsigned queue;
    uint64_t stack_size;
    unsigned max_connections; /* 0: what the limits of the machine allow */
    unsigned backlog;
    uint64_t max_header_size;
    uint64_t max_body_size;
    uint64_t max_buffer_memory;
    uint64_t header_timeout_ms;
    uint64_t body_timeout_ms;
    uint64_t idle_timeout_ms;
    uint64_t drain_delay_ms;
    uint64_t drain_timeout_ms; /* 0: what is left when the drain begins is cut off at once */
    const char *access_log;    /* NULL: none; "-": stdout; else a file */
    enum options_log_format log_format;
    struct options_listen admin_listen;
    bool cors;
    /* NULL, or the URL to get instead of serving; OPTIONS_CHECK_OWN: /healthz of options_checked_listener() */
    const char *check;
    bool listens_on_port; /* `listen` is what the variable PORT says */
    bool verbose;
};

/* A mode as the command line sees it. A table of modes ends with a row whose name is NULL. */
struct mode_name {
    const char *name;
    const char *summary; /* for --help: one line of at most 66 columns */
};

enum options_outcome {
    OPTIONS_RUN,     /* serve as the options say */
    OPTIONS_HELP,    /* --help or -h came: print options_help(), exit 0 */
    OPTIONS_VERSION, /* --version came: print it, exit 0 */
    OPTIONS_CHECK,   /* --check came: ask as options->check says, exit by its answer */
    OPTIONS_BAD      /* say error on stderr, exit 2 */
};

/*
 * Reads argv[1] to argv[argc - 1] and the ECHOD_ variables of envp (NULL-terminated) over the defaults.
 *
 * - A flag beats its variable, the variable the default. A variable that is beaten is not looked at.
 * - A flag given twice: the last one counts; those that repeat (--listen, --admin-listen) add up.
 * - A variable that is empty counts as not set. In a list, blanks around the commas do not count.
 * - Other variables that begin with ECHOD_ are ignored, since service managers put some there (Kubernetes
 *   ECHOD_PORT and ECHOD_SERVICE_HOST for a service named echod).
 * - --help and --version end the reading where they stand: mistakes after them, or in the environment, do
 *   not count.
 * - Without --listen and ECHOD_LISTEN the variable PORT, which hosting platforms set, means --listen *:$PORT.
 * - A switch (--verbose, --cors) stands alone or takes =true or =false (also yes, no, on, off, 1, 0, in any case). So
 *   does its variable, which =false on the command line undoes.
 * - --check stands alone or takes a URL. Alone it needs a port to ask: the first address must not have port 0.
 *
 * On OPTIONS_BAD, error (of size bytes) holds one line without a newline that names the flag or variable, the
 * value and what is allowed. *options is whole after OPTIONS_RUN and OPTIONS_CHECK only.
 */
enum options_outcome options_parse(struct options *options, int argc, char *const *argv, char *const *envp,
                                   const struct mode_name *modes, char *error, size_t size);

/* The address that --check without a URL asks: the first of --admin-listen, else of --listen. */
const struct listen_spec *options_checked_listener(const struct options *options);

/* Writes the text of --help: at most 80 columns and 50 lines. */
void options_help(FILE *out, const struct mode_name *modes);

#endif
