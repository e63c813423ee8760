/* SPDX-License-Identifier: MIT */
/* A piece of work that computes or blocks: what a handler asks for, and any thread may run. */
#ifndef ECHOD_COMMON_WORK_H
#define ECHOD_COMMON_WORK_H

#include <stdint.h>

/* Belongs to the session that wants it; while it runs, nobody touches either. */
struct work {
    void (*run)(struct work *work); /* reads `input`, sets `output`; NULL: there is none */
    uint64_t input;
    uint64_t output;
};

#endif
