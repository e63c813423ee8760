/* SPDX-License-Identifier: MIT */
/* With -DFAULT: an early return keeps the lock: every other thread waits for ever. */
#include "../lock.h"
#include "two_threads.h"

static struct lock lock = LOCK_INITIALIZER;
static long count LOCKED_BY(lock);

static void step(void)
{
    lock_take(&lock);
    if (count == 10) {
#ifndef FAULT
        lock_release(&lock);
#endif
        return;
    }
    count++;
    lock_release(&lock);
}

int main(void)
{
    return two_threads_run(step);
}
