/* SPDX-License-Identifier: MIT */
/* A lock is still held on one of the ways out of a function. */
/* refused: (mutex|lock class) 'box_lock' is not held on every path */
#include "common/base/sync.h"

MUTEX_CLASS(box_lock);

struct box {
    struct mutex mutex; /* box_lock */
    int count MUTEX_GUARDED_BY(box_lock);
};

int take_one(struct box *box);

int take_one(struct box *box)
{
    mutex_lock(&box->mutex, box_lock);
#ifdef WRONG
    if (box->count == 0) {
        return 0;
    }
#endif
    int count = box->count--;
    mutex_unlock(&box->mutex, box_lock);
    return count;
}
