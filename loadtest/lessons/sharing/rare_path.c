/* SPDX-License-Identifier: MIT */
/* With -DFAULT: the counter is reset without its lock, on a path that this run never takes. */
#include "../lock.h"
#include "two_threads.h"

static struct lock lock = LOCK_INITIALIZER;
static long count LOCKED_BY(lock);

static void reset(void)
{
#ifdef FAULT
    count = 0;
#else
    lock_take(&lock);
    count = 0;
    lock_release(&lock);
#endif
}

static void step(void)
{
    lock_take(&lock);
    count++;
    bool too_many = count > 1000000000;
    lock_release(&lock);
    if (too_many) {
        reset();
    }
}

int main(void)
{
    return two_threads_run(step);
}
