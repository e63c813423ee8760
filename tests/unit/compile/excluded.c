/* SPDX-License-Identifier: MIT */
/* A function that takes the lock itself is called with the lock held. */
/* refused: cannot call function 'add_one' while (mutex|lock class) 'box_lock' is held */
#include "common/base/sync.h"

MUTEX_CLASS(box_lock);

struct box {
    struct mutex mutex; /* box_lock */
    int count MUTEX_GUARDED_BY(box_lock);
};

static void add_one(struct box *box) MUTEX_EXCLUDES(box_lock);
static void add_one(struct box *box)
{
    MUTEX_HOLD(&box->mutex, box_lock);
    box->count++;
}

void add(struct box *box);

void add(struct box *box)
{
#ifdef WRONG
    MUTEX_HOLD(&box->mutex, box_lock);
#endif
    add_one(box);
}
