/* SPDX-License-Identifier: MIT */
/* Two locks are taken in the wrong order, where the class taken first says so. */
/* refused: (mutex|lock class) 'outer_lock' must be acquired before 'inner_lock' */
#include "common/base/sync.h"

MUTEX_CLASS(inner_lock);
MUTEX_CLASS(outer_lock) MUTEX_BEFORE(inner_lock);

struct pair {
    struct mutex outer; /* outer_lock */
    struct mutex inner; /* inner_lock */
};

void take_both(struct pair *pair);

void take_both(struct pair *pair)
{
#ifdef WRONG
    mutex_lock(&pair->inner, inner_lock);
    mutex_lock(&pair->outer, outer_lock);
    mutex_unlock(&pair->outer, outer_lock);
    mutex_unlock(&pair->inner, inner_lock);
#else
    mutex_lock(&pair->outer, outer_lock);
    mutex_lock(&pair->inner, inner_lock);
    mutex_unlock(&pair->inner, inner_lock);
    mutex_unlock(&pair->outer, outer_lock);
#endif
}
