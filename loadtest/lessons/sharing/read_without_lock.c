/* SPDX-License-Identifier: MIT */
/* With -DFAULT: the counter is read without its lock, while another thread writes it with the lock. */
#include "../lock.h"
#include "two_threads.h"

static struct lock lock = LOCK_INITIALIZER;
static long count LOCKED_BY(lock);

static long value(void)
{
#ifdef FAULT
    return count;
#else
    lock_take(&lock);
    long found = count;
    lock_release(&lock);
    return found;
#endif
}

static void step(void)
{
    long before = value();
    lock_take(&lock);
    count = before + 1;
    lock_release(&lock);
}

int main(void)
{
    return two_threads_run(step);
}
