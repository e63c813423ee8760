/* SPDX-License-Identifier: MIT */
/* Diagnostics: lines on stderr. */
#ifndef ECHOD_SERVER_NET_WARN_H
#define ECHOD_SERVER_NET_WARN_H

/* Writes "echod: ", the text (at most 503 bytes of it) and a newline to stderr, in one write(2), so that lines of
 * several threads do not mix. Never blocks: the line is dropped if stderr has no room. May change errno. Any thread.
 * Hidden, because libraries may call the C library's function of this name (err.h). */
void warn(const char *format, ...) __attribute__((format(printf, 1, 2), visibility("hidden")));

#endif
