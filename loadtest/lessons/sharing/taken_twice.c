/* SPDX-License-Identifier: MIT */
/* With -DFAULT: a function that takes the lock is called while the lock is held: the thread waits for itself. */
#include "../lock.h"
#include "two_threads.h"

static struct lock lock = LOCK_INITIALIZER;
static long count LOCKED_BY(lock);

static void add_one(void) LOCK_NOT_HELD(lock);
static void add_one(void)
{
    lock_take(&lock);
    count++;
    lock_release(&lock);
}

static void step(void)
{
#ifdef FAULT
    lock_take(&lock);
    add_one();
    lock_release(&lock);
#else
    add_one();
#endif
}

int main(void)
{
    return two_threads_run(step);
}
