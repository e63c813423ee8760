/* SPDX-License-Identifier: MIT */
/* With -DFAULT: the counter is changed without its lock. */
#include "../lock.h"
#include "two_threads.h"

static struct lock lock = LOCK_INITIALIZER;
static long count LOCKED_BY(lock);

static void step(void)
{
#ifdef FAULT
    count++;
#else
    lock_take(&lock);
    count++;
    lock_release(&lock);
#endif
}

int main(void)
{
    return two_threads_run(step);
}
