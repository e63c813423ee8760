/* SPDX-License-Identifier: MIT */
/* What a run tells: lines of JSON (README.md describes the fields), and a line of progress. */
#ifndef ECHOD_SWARM_RESULT_H
#define ECHOD_SWARM_RESULT_H

#include <stdio.h>

#include "loadtest/swarm/run.h"

/* The line that says that all is open. */
void result_print_held(FILE *out, const struct run *run);

/* The result. */
void result_print(FILE *out, const struct run *run);

/* Writes over the line of progress written last. */
void result_print_progress(FILE *out, const struct run *run);
/* Takes it away. */
void result_print_progress_end(FILE *out);

#endif
