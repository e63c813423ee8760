/* SPDX-License-Identifier: MIT */
/* A mutex that Clang's thread safety analysis understands: data that LOCKED_BY names a lock for is touched only while
 * that lock is held, or the program does not compile (clang -Wthread-safety -Wthread-safety-beta). The locks and the
 * data of these lessons are global variables, which the analysis can name in C. Other compilers see a plain mutex. */
#ifndef ECHOD_LESSONS_LOCK_H
#define ECHOD_LESSONS_LOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#if defined(__clang__)
#define LOCK_ATTRIBUTE(x) __attribute__((x))
#else
#define LOCK_ATTRIBUTE(x)
#endif

/* On a variable: which lock guards it, and which lock guards what it points to. */
#define LOCKED_BY(lock)        LOCK_ATTRIBUTE(guarded_by(lock))
#define TARGET_LOCKED_BY(lock) LOCK_ATTRIBUTE(pt_guarded_by(lock))
/* On a function: its caller holds the lock, or does not hold it. */
#define LOCK_HELD(lock)     LOCK_ATTRIBUTE(requires_capability(lock))
#define LOCK_NOT_HELD(lock) LOCK_ATTRIBUTE(locks_excluded(lock))
/* On a lock: where both are held, it is taken before the other. */
#define LOCK_BEFORE(lock) LOCK_ATTRIBUTE(acquired_before(lock))

struct LOCK_ATTRIBUTE(capability("mutex")) lock {
    pthread_mutex_t native;
};
#define LOCK_INITIALIZER                    \
    {                                       \
        .native = PTHREAD_MUTEX_INITIALIZER \
    }

/* The bodies call pthreads, which the analysis does not know. It takes the declarations' word for what they do. */
#define LOCK_TRUSTED LOCK_ATTRIBUTE(no_thread_safety_analysis)

static inline void lock_take(struct lock *lock) LOCK_ATTRIBUTE(acquire_capability(*lock));
LOCK_TRUSTED static inline void lock_take(struct lock *lock)
{
    pthread_mutex_lock(&lock->native);
}

static inline void lock_release(struct lock *lock) LOCK_ATTRIBUTE(release_capability(*lock));
LOCK_TRUSTED static inline void lock_release(struct lock *lock)
{
    pthread_mutex_unlock(&lock->native);
}

/* Waits for at most `microseconds`. True if the lock was taken. */
static inline bool lock_take_within(struct lock *lock, long microseconds)
    LOCK_ATTRIBUTE(try_acquire_capability(true, *lock));
LOCK_TRUSTED static inline bool lock_take_within(struct lock *lock, long microseconds)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += microseconds * 1000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    return pthread_mutex_timedlock(&lock->native, &until) == 0;
}

#endif
