/* SPDX-License-Identifier: MIT */
/* The table of flags: what each is called, what it may be, where its value goes. */
#ifndef ECHOD_LOADTEST_SWARM_SETTINGS_FLAG_H
#define ECHOD_LOADTEST_SWARM_SETTINGS_FLAG_H

#include "loadtest/swarm/settings/options.h"

enum flag_kind {
    FLAG_COUNT,    /* unsigned */
    FLAG_NUMBER,   /* uint64_t */
    FLAG_SIZE,     /* uint64_t, bytes */
    FLAG_DURATION, /* uint64_t, milliseconds */
    FLAG_TEXT,     /* const char * */
    FLAG_METHOD,   /* const char *, a token */
    FLAG_HEADER,   /* options_class.headers; repeats */
    FLAG_STATUSES, /* options_class.statuses */
    FLAG_PACE,     /* struct options_pace */
    FLAG_TARGET,   /* options.targets; repeats */
    FLAG_SOURCES,  /* options.sources */
    FLAG_CLASS,    /* begins a class */
    FLAG_SWITCH    /* bool; takes no value */
};

enum flag_scope { FLAG_OF_RUN, FLAG_OF_CLASS };

struct flag {
    const char *name;         /* without the dashes */
    const char *metavariable; /* NULL: it takes no value */
    enum flag_scope scope;
    enum flag_kind kind;
    size_t member; /* its offset in struct options or struct options_class; 0 for FLAG_CLASS */
    uint64_t minimum;
    uint64_t maximum;
    const char *meaning; /* for --help: one line of at most 50 columns */
};

#define FLAG_TOTAL 30

/* In the order in which --help shows them: first those of the run. */
extern const struct flag FLAGS[FLAG_TOTAL];

/* NULL if there is none of that name. */
const struct flag *flag_find(const char *name, size_t length);

/* Reads a value to the flag's member in *to, a struct options or options_class as its scope says. False if it is not
 * allowed. Not for FLAG_CLASS. */
bool flag_set(const struct flag *flag, void *to, const char *value);

/* Writes what values the flag allows, for a message: "a whole number from 1 to 1024". */
void flag_allowed(const struct flag *flag, char *out, size_t size);

#endif
