/* SPDX-License-Identifier: MIT */
/* What a pointer points to is guarded, and written without the lock. */
/* refused: writing the value pointed to by 'first' requires holding (mutex|lock class) 'list_lock' */
#include "common/base/sync.h"

MUTEX_CLASS(list_lock);

struct list {
    struct mutex mutex; /* list_lock */
    int *first MUTEX_TARGET_GUARDED_BY(list_lock);
};

void set_first(struct list *list, int value);

void set_first(struct list *list, int value)
{
#ifndef WRONG
    MUTEX_HOLD(&list->mutex, list_lock);
#endif
    *list->first = value;
}
