/* SPDX-License-Identifier: MIT */
/* Guarded data is written after its lock was let go. */
/* refused: writing variable 'count' requires holding (mutex|lock class) 'box_lock' */
#include "common/base/sync.h"

MUTEX_CLASS(box_lock);

struct box {
    struct mutex mutex; /* box_lock */
    int count MUTEX_GUARDED_BY(box_lock);
};

void set_count(struct box *box, int count);

void set_count(struct box *box, int count)
{
    mutex_lock(&box->mutex, box_lock);
#ifdef WRONG
    mutex_unlock(&box->mutex, box_lock);
    box->count = count;
#else
    box->count = count;
    mutex_unlock(&box->mutex, box_lock);
#endif
}
