/* SPDX-License-Identifier: MIT */
/* With -DFAULT: the counter is written after its lock was released. */
#include "../lock.h"
#include "two_threads.h"

static struct lock lock = LOCK_INITIALIZER;
static long count LOCKED_BY(lock);

static void step(void)
{
    lock_take(&lock);
#ifdef FAULT
    lock_release(&lock);
    count++;
#else
    count++;
    lock_release(&lock);
#endif
}

int main(void)
{
    return two_threads_run(step);
}
