/* SPDX-License-Identifier: MIT */
/* What all groups of a run share: its phase, its window, its loop. */
#ifndef ECHOD_SWARM_SHARED_H
#define ECHOD_SWARM_SHARED_H

#include <event2/event.h>

#include "loadtest/swarm/settings/options.h"

enum phase {
    PHASE_OPENING,
    PHASE_GATE,  /* all is open, and held until told to go on */
    PHASE_LOAD,  /* warm-up and window */
    PHASE_GRACE, /* after the window: what was due in it may still be sent and answered */
    PHASE_OVER
};

enum { SHARED_INPUT_SIZE = 256 * 1024 };

struct shared {
    const struct options *options;
    struct event_base *base;
    struct event *check; /* made active when something may have come to its end */
    enum phase phase;
    bool counting;         /* the window is open: bytes count */
    uint64_t load_begin;   /* an instant */
    uint64_t window_begin; /* instants; NANOSECONDS_NEVER before the load */
    uint64_t window_end;   /* NANOSECONDS_NEVER: when every request is settled */
    size_t opening;        /* connections that are being opened and greeted */
    char input[SHARED_INPUT_SIZE];
};

static inline bool shared_in_window(const struct shared *shared, uint64_t instant)
{
    return instant >= shared->window_begin && instant < shared->window_end;
}

#endif
