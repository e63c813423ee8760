/* SPDX-License-Identifier: MIT */
/* With -DFAULT: what a pointer points to is written without the lock that guards it. */
#include "../lock.h"
#include "two_threads.h"

static struct lock lock = LOCK_INITIALIZER;
static long number;
static long *first TARGET_LOCKED_BY(lock) = &number;

static void step(void)
{
#ifdef FAULT
    ++*first;
#else
    lock_take(&lock);
    ++*first;
    lock_release(&lock);
#endif
}

int main(void)
{
    return two_threads_run(step);
}
