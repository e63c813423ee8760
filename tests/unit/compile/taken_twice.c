/* SPDX-License-Identifier: MIT */
/* A lock is taken that is held already. */
/* refused: acquiring (mutex|lock class) 'box_lock' that is already held */
#include "common/base/sync.h"

MUTEX_CLASS(box_lock);

void take(struct mutex *mutex);

void take(struct mutex *mutex)
{
    mutex_lock(mutex, box_lock);
#ifdef WRONG
    mutex_lock(mutex, box_lock);
#endif
    mutex_unlock(mutex, box_lock);
}
