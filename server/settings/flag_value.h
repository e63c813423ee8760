/* SPDX-License-Identifier: MIT */
/* How each kind of flag's value is read, and what a message says of the values that are allowed. */
#ifndef ECHOD_SERVER_SETTINGS_FLAG_VALUE_H
#define ECHOD_SERVER_SETTINGS_FLAG_VALUE_H

#include "server/settings/flag.h"

/* Returns the character between the values of a repeatable flag in its variable; NUL if the flag does not repeat. Any
 * thread. */
char flag_separator(const struct flag *flag);

/* Reads one value of `length` bytes into the flag's member. A NUL must follow the value unless it is an item of a
 * list: the options may keep a pointer to it. Returns false if the value is not allowed; *why is then a static text
 * with the reason, empty if flag_allowed() is explanation enough. */
bool flag_set(const struct flag *flag, struct options *options, const struct mode_name *modes,
              const char *value, size_t length, const char **why);

/* Writes a description of the allowed values for a message, such as "a whole number from 1 to 1024", to `out`, cut at
 * `size` bytes with its NUL. flag_set and flag_allowed: any thread. */
void flag_allowed(const struct flag *flag, const struct mode_name *modes, char *out, size_t size);

#endif
