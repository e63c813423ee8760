/* SPDX-License-Identifier: MIT */
/* What a run tells: lines of JSON (README.md describes the fields), and a line of progress. */
#ifndef ECHOD_SWARM_REPORT_H
#define ECHOD_SWARM_REPORT_H

#include <stdio.h>

#include "loadtest/swarm/run.h"

/* The line that says that all is open. */
void report_held(FILE *out, const struct run *run);

/* The result. */
void report_result(FILE *out, const struct run *run);

/* Writes over the line of progress written last. */
void report_progress(FILE *out, const struct run *run);
/* Takes it away. */
void report_progress_end(FILE *out);

#endif
