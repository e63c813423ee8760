/* SPDX-License-Identifier: MIT */
/* The trace as JSON in the Trace Event Format, which Perfetto (ui.perfetto.dev) and Chrome read: a track for each thread,
 * a track for each connection, and arrows from what woke a thread to what was woken. docs/trace.md describes it. */
#ifndef ECHOD_SERVER_TRACE_TRACE_JSON_H
#define ECHOD_SERVER_TRACE_TRACE_JSON_H

#include <stdio.h>

/* Writes the records that are in memory to `out`, while other threads may record more. `mode` is the mode's name, and
 * `version` echod's. Returns 0, -ENOMEM, or the negative errno of a failed write. Any thread that does not record. */
int trace_json_write(FILE *out, const char *mode, const char *version);

#endif
