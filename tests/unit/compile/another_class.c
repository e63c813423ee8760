/* SPDX-License-Identifier: MIT */
/* Guarded data is touched under a lock of another class. */
/* refused: writing variable 'count' requires holding (mutex|lock class) 'box_lock' */
#include "common/base/sync.h"

MUTEX_CLASS(box_lock);
MUTEX_CLASS(other_lock);

struct box {
    struct mutex mutex; /* box_lock */
    struct mutex other; /* other_lock */
    int count MUTEX_GUARDED_BY(box_lock);
};

void add_one(struct box *box);

void add_one(struct box *box)
{
#ifdef WRONG
    MUTEX_HOLD(&box->other, other_lock);
#else
    MUTEX_HOLD(&box->mutex, box_lock);
#endif
    box->count++;
}
