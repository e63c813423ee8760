/* SPDX-License-Identifier: MIT */
/* An access log that looks at its lines and keeps none: for tests of other things, with the log on. */
#ifndef ECHOD_TESTS_UNIT_SUPPORT_LOG_SINK_H
#define ECHOD_TESTS_UNIT_SUPPORT_LOG_SINK_H

#include "common/session/log.h"
#include "tests/unit/support/transcript.h"

enum { LOG_SINK_SIZE = 2 * LOG_LINE_MAX };

/* One for each context of a harness; the log comes first, so that it leads to the rest. */
struct log_sink {
    struct log log;
    uint64_t lines;
    const char *wrong; /* what a line was that it must not be; static; NULL: all were right */
    char text[LOG_SINK_SIZE];
};

void log_sink_attach(struct log_sink sinks[2], struct harness *harness, enum log_format format);
void log_sink_detach(struct harness *harness);
/* Looks at what is left; NULL, or what was wrong in either. */
const char *log_sink_wrong(struct log_sink sinks[2]);

#endif
