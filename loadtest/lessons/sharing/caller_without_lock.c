/* SPDX-License-Identifier: MIT */
/* With -DFAULT: a function that expects its caller to hold the lock is called without it. */
#include "../lock.h"
#include "two_threads.h"

static struct lock lock = LOCK_INITIALIZER;
static long count LOCKED_BY(lock);

static void add_one(void) LOCK_HELD(lock);
static void add_one(void)
{
    count++;
}

static void step(void)
{
#ifdef FAULT
    add_one();
#else
    lock_take(&lock);
    add_one();
    lock_release(&lock);
#endif
}

int main(void)
{
    return two_threads_run(step);
}
