/* SPDX-License-Identifier: MIT */
/* The table of flags: name, allowed values, default, and the member of struct options that takes the value. */
#ifndef ECHOD_SERVER_SETTINGS_FLAG_H
#define ECHOD_SERVER_SETTINGS_FLAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/http/fault.h"
#include "server/settings/options.h"

enum flag_kind {
    FLAG_MODE,       /* const char *, a name from the table of modes */
    FLAG_LISTEN,     /* struct options_listen; repeats, each value adds one */
    FLAG_COUNT,      /* unsigned */
    FLAG_SIZE,       /* uint64_t, bytes */
    FLAG_DURATION,   /* uint64_t, milliseconds */
    FLAG_TEXT,       /* const char *, anything but the empty text */
    FLAG_URL,        /* const char *, a URL for url_parse; its value may be omitted on the command line */
    FLAG_LOG_FORMAT, /* enum options_log_format */
    FLAG_NAME,       /* const char *, visible characters */
    FLAG_PATH,       /* struct options_list, paths; repeats, each value adds one */
    FLAG_FIELD, /* struct options_list, header fields for asked_field_read; repeats, each value adds one */
    FLAG_FAULT, /* const char *, a list for fault_read */
    FLAG_SWITCH /* bool; its value may be omitted on the command line */
};

/* The groups of --help all, in this order. */
enum flag_group {
    FLAG_GROUP_MODEL,
    FLAG_GROUP_LISTENERS,
    FLAG_GROUP_LIMITS,
    FLAG_GROUP_TIMEOUTS,
    FLAG_GROUP_FAULTS,
    FLAG_GROUP_LOG,
    FLAG_GROUP_OTHER
};

struct flag {
    const char *name;         /* without the dashes */
    const char *metavariable; /* NULL: none */
    const char *initial;      /* the default, as a value of the flag; NULL: the member stays zero */
    const char *shown;        /* the default in --help if `initial` is NULL */
    size_t member;            /* its offset in struct options */
    uint64_t minimum;
    uint64_t maximum;
    enum fault_kind fault; /* of FLAG_FAULT */
    enum flag_kind kind;
    enum flag_group group;
    bool common;         /* in --help; the others are in --help all only */
    char letter;         /* of the short form, as in -v; 0: none */
    const char *meaning; /* for --help: lines of at most 52 columns; the last one includes the default */
};

#define FLAG_TOTAL 38

/* The largest --max-delay, milliseconds. */
#define FLAG_DELAY_MAX (UINT64_C(60) * 60 * 1000)

/* In the order of --help, the flags of a group together. */
extern const struct flag FLAGS[FLAG_TOTAL];

/* The flag with this name; NULL if there is none. Any thread. */
const struct flag *flag_find(const char *name, size_t length);

/* The flag with this letter; NULL if there is none. Any thread. */
const struct flag *flag_find_letter(char letter);

#endif
