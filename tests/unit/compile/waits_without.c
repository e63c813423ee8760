/* SPDX-License-Identifier: MIT */
/* A condition is waited for without its mutex. */
/* refused: calling function 'sync_required' requires holding (mutex|lock class) 'box_lock' */
#include "common/base/sync.h"

MUTEX_CLASS(box_lock);

void await(struct condition *condition, struct mutex *mutex);

void await(struct condition *condition, struct mutex *mutex)
{
#ifndef WRONG
    MUTEX_HOLD(mutex, box_lock);
#endif
    condition_wait(condition, mutex, box_lock);
}
