/* SPDX-License-Identifier: MIT */
/* A piece of work that computes or blocks: what a handler asks for, and any thread may run. */
#ifndef ECHOD_COMMON_BASE_WORK_H
#define ECHOD_COMMON_BASE_WORK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Belongs to the session that wants it; while it runs, nobody touches either. */
struct work {
    void (*run)(struct work *work); /* reads `input`, sets `output`; NULL: there is none */
    uint64_t input;
    uint64_t output;
    /* Once that is true nobody wants the output: run returns soon. NULL: it never is. */
    const _Atomic bool *cutting;
};

static inline bool work_is_cut_off(const struct work *work)
{
    return work->cutting != NULL && atomic_load_explicit(work->cutting, memory_order_relaxed);
}

#endif
