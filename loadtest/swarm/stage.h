/* SPDX-License-Identifier: MIT */
/* What all crowds of a run share: its phase, its window, its loop. */
#ifndef ECHOD_SWARM_STAGE_H
#define ECHOD_SWARM_STAGE_H

#include <event2/event.h>

#include "loadtest/swarm/options.h"

enum stage_phase {
    STAGE_OPENING,
    STAGE_GATE,  /* all is open, and held until told to go on */
    STAGE_LOAD,  /* warm-up and window */
    STAGE_GRACE, /* after the window: what was due in it may still be sent and answered */
    STAGE_OVER
};

enum { STAGE_INPUT_SIZE = 256 * 1024 };

struct stage {
    const struct options *options;
    struct event_base *base;
    struct event *check; /* made active when something may have come to its end */
    enum stage_phase phase;
    bool counting;         /* the window is open: bytes count */
    uint64_t load_begin;   /* an instant */
    uint64_t window_begin; /* instants; INSTANT_NEVER before the load */
    uint64_t window_end;   /* INSTANT_NEVER: when every request is settled */
    size_t opening;        /* connections that are being opened and greeted */
    char input[STAGE_INPUT_SIZE];
};

static inline bool stage_in_window(const struct stage *stage, uint64_t instant)
{
    return instant >= stage->window_begin && instant < stage->window_end;
}

#endif
