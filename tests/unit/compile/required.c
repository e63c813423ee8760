/* SPDX-License-Identifier: MIT */
/* A function that needs the lock is called without it. */
/* refused: calling function 'add_one' requires holding (mutex|lock class) 'box_lock' */
#include "common/base/sync.h"

MUTEX_CLASS(box_lock);

struct box {
    struct mutex mutex; /* box_lock */
    int count MUTEX_GUARDED_BY(box_lock);
};

static void add_one(struct box *box) MUTEX_REQUIRES(box_lock);
static void add_one(struct box *box)
{
    box->count++;
}

void add(struct box *box);

void add(struct box *box)
{
#ifndef WRONG
    MUTEX_HOLD(&box->mutex, box_lock);
#endif
    add_one(box);
}
