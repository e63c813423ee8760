/* SPDX-License-Identifier: MIT */
/* Diagnostics: lines on stderr. */
#ifndef ECHOD_SERVER_NET_WARN_H
#define ECHOD_SERVER_NET_WARN_H

/* Writes "echod: ", the text and a newline with one write(2), so that lines of several threads do not mix. Cut at some
 * 500 bytes. Any thread. Hidden, because libraries may call the C library's function of this name (err.h). */
void warn(const char *format, ...) __attribute__((format(printf, 1, 2), visibility("hidden")));

#endif
