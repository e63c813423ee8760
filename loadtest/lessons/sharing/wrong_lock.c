/* SPDX-License-Identifier: MIT */
/* With -DFAULT: the counter is written under a lock that guards something else. */
#include "../lock.h"
#include "two_threads.h"

static struct lock lock = LOCK_INITIALIZER;
static struct lock other = LOCK_INITIALIZER;
static long count LOCKED_BY(lock);
static long others LOCKED_BY(other);

static void step_other(void)
{
    lock_take(&other);
    others++;
#ifdef FAULT
    count++;
#endif
    lock_release(&other);
}

static void step(void)
{
    lock_take(&lock);
    count++;
    lock_release(&lock);
    step_other();
}

int main(void)
{
    return two_threads_run(step);
}
