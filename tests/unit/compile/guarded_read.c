/* SPDX-License-Identifier: MIT */
/* Guarded data is read without its lock. */
/* refused: reading variable 'count' requires holding (mutex|lock class) 'box_lock' */
#include "common/base/sync.h"

MUTEX_CLASS(box_lock);

struct box {
    struct mutex mutex; /* box_lock */
    int count MUTEX_GUARDED_BY(box_lock);
};

int read_count(struct box *box);

int read_count(struct box *box)
{
#ifndef WRONG
    MUTEX_HOLD(&box->mutex, box_lock);
#endif
    return box->count;
}
