/* SPDX-License-Identifier: MIT */
/* A run from its first connection to its last answer. */
#ifndef ECHOD_SWARM_RUN_H
#define ECHOD_SWARM_RUN_H

#include "loadtest/swarm/client_group.h"

enum run_end {
    RUN_DURATION,   /* the window has passed */
    RUN_REQUESTS,   /* all was asked and settled */
    RUN_UNOPENED,   /* no connection could be opened */
    RUN_INTERRUPTED /* by a signal */
};

struct run;

/* Called on the way, each of them. */
struct run_output {
    void (*held)(const struct run *run);     /* all is open, and the run waits at the gate */
    void (*progress)(const struct run *run); /* with --progress, several times a second */
    void (*progress_end)(void);              /* once after those */
};

struct run {
    const struct run_output *output;
    struct shared shared;
    unsigned client_group_count;
    struct client_group groups[OPTIONS_CLASSES_MAX];
    enum run_end end;
    uint64_t began; /* instants */
    uint64_t held;  /* when all was open; 0: not yet */
    uint64_t over;
    uint64_t cpu_begin; /* own CPU time in nanoseconds when the window began, and when it ended */
    uint64_t cpu_end;
    struct event *interrupt;
    struct event *terminate;
    struct event *go_on; /* SIGUSR1 */
    struct event *input; /* stdin, at the gate */
    struct event *tick;
    struct event *turn; /* what comes next on the way: the window's begin, its end, the end of the grace */
    struct event *show; /* progress */
};

/* Makes the loop and the groups. False if there is no memory; run_deinit() undoes what was done. *run is all zero
 * before. `options` and `output` outlive it. */
bool run_init(struct run *run, const struct options *options, const struct run_output *output);
void run_deinit(struct run *run);

/* Goes through all phases. */
void run_go(struct run *run);

/* Whether anything could be connected. */
bool run_connected(const struct run *run);

/* How long the window was open, in nanoseconds. */
uint64_t run_window(const struct run *run);

#endif
