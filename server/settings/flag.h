/* SPDX-License-Identifier: MIT */
/* The table of flags: what each is called, what it may be, where its value goes. */
#ifndef ECHOD_SERVER_SETTINGS_FLAG_H
#define ECHOD_SERVER_SETTINGS_FLAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/settings/options.h"

enum flag_kind {
    FLAG_MODE,     /* const char *, a name from the table of modes */
    FLAG_LISTEN,   /* struct options_listen; repeats, each value adds one */
    FLAG_COUNT,    /* unsigned */
    FLAG_SIZE,     /* uint64_t, bytes */
    FLAG_DURATION, /* uint64_t, milliseconds */
    FLAG_TEXT,     /* const char *, anything but the empty text */
    FLAG_URL,      /* const char *, what url_parse takes; on the command line it may stand without a value */
    FLAG_LOG_FORMAT, /* enum options_log_format */
    FLAG_SWITCH      /* bool; on the command line it may stand without a value */
};

struct flag {
    const char *name;         /* without the dashes */
    const char *metavariable; /* NULL: none */
    const char *initial;      /* the default as one would write it; NULL: the member stays zero */
    const char *shown;        /* the default in --help where `initial` does not say it; NULL: none */
    size_t member;            /* its offset in struct options */
    uint64_t minimum;
    uint64_t maximum;
    enum flag_kind kind;
    char letter;         /* for a second form, -v; 0: none */
    bool offered;        /* false: refused as unknown, no variable, not in --help; the default holds */
    const char *meaning; /* for --help: lines of at most 52 columns, the default on the last one included */
};

#define FLAG_TOTAL 22

/* In the order in which --help shows them. */
extern const struct flag FLAGS[FLAG_TOTAL];

/* The flag of that name, offered or not; NULL if there is none. */
const struct flag *flag_find(const char *name, size_t length);

/* The same by its letter. */
const struct flag *flag_find_letter(char letter);

/*
 * Reads one value of length bytes, followed by a NUL unless it is one of a list, to the flag's member.
 * Returns false if it is not allowed; *why is then a static text that says what is wrong, empty if
 * flag_allowed() says it all.
 */
bool flag_set(const struct flag *flag, struct options *options, const struct mode_name *modes,
              const char *value, size_t length, const char **why);

/* Writes what values the flag allows, for a message: "a whole number from 1 to 1024". */
void flag_allowed(const struct flag *flag, const struct mode_name *modes, char *out, size_t size);

#endif
