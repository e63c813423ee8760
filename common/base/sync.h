/* SPDX-License-Identifier: MIT */
/* Locks for Clang's thread safety analysis: data accessed without its lock makes the build fail (clang,
 * -Wthread-safety -Wthread-safety-beta). For other compilers they are plain locks.
 *
 * In C, before version 20, the analysis cannot refer to a mutex in the same struct. So each kind of lock has a
 * class, as in the kernel's lockdep, and each member names the class that guards it:
 *
 *     MUTEX_CLASS(inbox_lock);
 *     struct inbox {
 *         struct mutex mutex; // inbox_lock
 *         size_t count MUTEX_GUARDED_BY(inbox_lock);
 *     };
 *     mutex_lock(&inbox->mutex, inbox_lock);
 *
 * No thread holds two locks at once, so there is no lock order.
 *
 * Any thread may call these functions. Their calls of pthread fail only on misuse, and then the process aborts. */
#ifndef ECHOD_COMMON_BASE_SYNC_H
#define ECHOD_COMMON_BASE_SYNC_H

#include <pthread.h>

#if defined(__clang__)
#define SYNC_ATTRIBUTE(x) __attribute__((x))
/* The analysis trusts the declaration: it cannot see that the body takes or releases the native lock. */
#define SYNC_UNCHECKED __attribute__((no_thread_safety_analysis))
#else
#define SYNC_ATTRIBUTE(x)
#define SYNC_UNCHECKED
#endif

struct SYNC_ATTRIBUTE(capability("lock class")) mutex_class {
    char unused;
};
/* Declares a class of locks; at file scope. */
#define MUTEX_CLASS(name) __attribute__((unused)) static struct mutex_class name
/* On a member or variable: it is accessed only under a lock of that class. */
#define MUTEX_GUARDED_BY(class) SYNC_ATTRIBUTE(guarded_by(class))
/* On a function: its caller must hold a lock of that class (REQUIRES), or must not hold one (EXCLUDES). */
#define MUTEX_REQUIRES(...) SYNC_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define MUTEX_EXCLUDES(...) SYNC_ATTRIBUTE(locks_excluded(__VA_ARGS__))

/* Not recursive; for the threads of one process. */
struct mutex {
    pthread_mutex_t native;
};

void mutex_init(struct mutex *mutex);
/* No thread may hold the mutex or lock it again. */
void mutex_deinit(struct mutex *mutex);

/* For the macros below: the operations on the mutex. */
void sync_lock(struct mutex *mutex);
void sync_unlock(struct mutex *mutex);
void sync_let_go(struct mutex **mutex);

/* For the macros below: what the analysis learns. */
SYNC_UNCHECKED static inline void sync_acquired(const struct mutex_class *class)
    SYNC_ATTRIBUTE(acquire_capability(*class));
SYNC_UNCHECKED static inline void sync_acquired(const struct mutex_class *class)
{
    (void)class;
}
SYNC_UNCHECKED static inline void sync_released(const struct mutex_class *class)
    SYNC_ATTRIBUTE(release_capability(*class));
SYNC_UNCHECKED static inline void sync_released(const struct mutex_class *class)
{
    (void)class;
}
SYNC_UNCHECKED static inline void sync_asserted(const struct mutex_class *class)
    SYNC_ATTRIBUTE(assert_capability(*class));
SYNC_UNCHECKED static inline void sync_asserted(const struct mutex_class *class)
{
    (void)class;
}
static inline void sync_required(const struct mutex_class *class) SYNC_ATTRIBUTE(requires_capability(*class));
static inline void sync_required(const struct mutex_class *class)
{
    (void)class;
}

/* Locks the mutex, whose class is `class`; waits for it. */
#define mutex_lock(mutex, class)   (sync_lock(mutex), sync_acquired(&(class)))
#define mutex_unlock(mutex, class) (sync_released(&(class)), sync_unlock(mutex))

/* As a statement among declarations: holds the mutex until the enclosing block is left, by whichever way. The
 * analysis assumes that the lock is held to the end of the function, so the block should be the function's. A
 * function without an early return uses mutex_lock and mutex_unlock instead, which the analysis checks on every
 * path. */
#define MUTEX_HOLD(which, class)                                                        \
    struct mutex *class##_held __attribute__((cleanup(sync_let_go), unused)) = (which); \
    sync_lock(class##_held);                                                            \
    sync_asserted(&(class))

/* A condition variable. The condition itself is in data that a mutex guards. */
struct condition {
    pthread_cond_t native;
};

void condition_init(struct condition *condition);
/* No thread may wait any more. */
void condition_deinit(struct condition *condition);
/* For the macro below. */
void sync_wait(struct condition *condition, struct mutex *mutex);
/* Releases the mutex, waits until the condition is woken, and locks the mutex again. May also return without a wakeup:
 * the caller checks the condition in a loop. */
#define condition_wait(condition, mutex, class) (sync_required(&(class)), sync_wait(condition, mutex))
/* Wakes one waiting thread, or all of them. */
void condition_wake_one(struct condition *condition);
void condition_wake_all(struct condition *condition);

#endif
