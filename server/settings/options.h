/* SPDX-License-Identifier: MIT */
/* The settings of the server as one value; command_line.h reads them. */
#ifndef ECHOD_SERVER_SETTINGS_OPTIONS_H
#define ECHOD_SERVER_SETTINGS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/span.h"
#include "server/net/listen_spec.h"
#include "server/net/listeners.h"

/* The value of --check without a URL. */
#define OPTIONS_CHECK_OWN ""

enum options_log_format { OPTIONS_LOG_TEXT, OPTIONS_LOG_JSON };

struct options_listen {
    unsigned count;
    struct listen_spec items[LISTENERS_SPEC_MAX];
};

enum {
    OPTIONS_LIST_MAX = 64, /* values of a repeatable flag other than a listener */
    OPTIONS_NAME_MAX = 64, /* bytes of --name */
};

struct options_list {
    unsigned count;
    struct span items[OPTIONS_LIST_MAX];
};

/* One member per flag, named after it. Sizes are in bytes, durations (_ms) in milliseconds. Strings point into argv
 * or the environment, which must outlive them; `mode` points into the table of modes. */
struct options {
    const char *mode;
    struct options_listen listen;
    unsigned loops;   /* 0: one per usable CPU */
    unsigned workers; /* 0: the mode chooses */
    unsigned queue;
    uint64_t stack_size;      /* 0: the mode chooses */
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
    struct options_list log_skip; /* paths */
    bool log_admin;
    bool log_headers;
    bool log_secrets;
    uint64_t max_delay_ms;
    unsigned max_requests; /* 0: no limit */
    const char *name;      /* NULL: none */
    bool proxy_protocol;
    const char *default_status; /* NULL, like the next three: none; a list for fault_read */
    const char *default_delay;
    const char *default_close;
    const char *default_abort;
    struct options_list default_header; /* "Name:Value" */
    unsigned fault_seed;                /* 0: a random one */
    struct options_listen admin_listen;
    bool cors;
    const char *trace; /* NULL: none; the path of a file */
    uint64_t trace_buffer;
    /* NULL; or the URL to request instead of serving; OPTIONS_CHECK_OWN: /healthz of options_checked_listener() */
    const char *check;
    bool listens_on_port; /* `listen` was set by the variable PORT */
    bool verbose;
};

/* The name of a mode for the command line. A table of them ends with a row whose name is NULL. */
struct mode_name {
    const char *name;
    const char *summary; /* for --help: one line of at most 66 columns */
    const char *missing; /* why this build does not have the mode; NULL: it has it. Such rows come last */
};

/* The listener that --check without a URL asks: the first of --admin-listen, else of --listen. */
static inline const struct listen_spec *options_checked_listener(const struct options *options)
{
    return options->admin_listen.count > 0 ? &options->admin_listen.items[0] : &options->listen.items[0];
}

#endif
