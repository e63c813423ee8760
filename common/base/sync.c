/* SPDX-License-Identifier: MIT */
/* Thin wrappers. The calls fail only on misuse, which is a bug: the process aborts. */
#include "common/base/sync.h"

#include <stdlib.h>

static void must_be_zero(int error)
{
    if (error != 0) {
        abort();
    }
}

void mutex_init(struct mutex *mutex)
{
    must_be_zero(pthread_mutex_init(&mutex->native, NULL));
}

void mutex_deinit(struct mutex *mutex)
{
    must_be_zero(pthread_mutex_destroy(&mutex->native));
}

void sync_lock(struct mutex *mutex)
{
    must_be_zero(pthread_mutex_lock(&mutex->native));
}

void sync_unlock(struct mutex *mutex)
{
    must_be_zero(pthread_mutex_unlock(&mutex->native));
}

void sync_let_go(struct mutex **mutex)
{
    sync_unlock(*mutex);
}

void condition_init(struct condition *condition)
{
    must_be_zero(pthread_cond_init(&condition->native, NULL));
}

void condition_deinit(struct condition *condition)
{
    must_be_zero(pthread_cond_destroy(&condition->native));
}

void sync_wait(struct condition *condition, struct mutex *mutex)
{
    must_be_zero(pthread_cond_wait(&condition->native, &mutex->native));
}

void condition_wake_one(struct condition *condition)
{
    must_be_zero(pthread_cond_signal(&condition->native));
}

void condition_wake_all(struct condition *condition)
{
    must_be_zero(pthread_cond_broadcast(&condition->native));
}
