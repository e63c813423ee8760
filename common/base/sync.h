/* SPDX-License-Identifier: MIT */
/* Locks that Clang's thread safety analysis understands: data is touched under its lock, or the build fails (clang,
 * -Wthread-safety -Wthread-safety-beta). Other compilers see plain locks.
 *
 * In C the analysis cannot name the mutex that stands beside a member (before version 20), so each kind of lock has a
 * class, as in the kernel's lockdep, and data says which class guards it:
 *
 *     MUTEX_CLASS(inbox_lock);
 *     struct inbox {
 *         struct mutex mutex; // inbox_lock
 *         size_t count MUTEX_GUARDED_BY(inbox_lock);
 *     };
 *     mutex_lock(&inbox->mutex, inbox_lock);
 *
 * No thread ever holds two locks together, so they have no order. */
#ifndef ECHOD_COMMON_BASE_SYNC_H
#define ECHOD_COMMON_BASE_SYNC_H

#include <pthread.h>

#if defined(__clang__)
#define SYNC_ATTRIBUTE(x) __attribute__((x))
/* The body takes or drops the native lock, which the analysis cannot see: it believes the declaration. */
#define SYNC_UNCHECKED __attribute__((no_thread_safety_analysis))
#else
#define SYNC_ATTRIBUTE(x)
#define SYNC_UNCHECKED
#endif

struct SYNC_ATTRIBUTE(capability("lock class")) mutex_class {
    char unused;
};
/* Declares a class; at file scope. */
#define MUTEX_CLASS(name) __attribute__((unused)) static struct mutex_class name
/* On a member or variable: touched only under a lock of that class. */
#define MUTEX_GUARDED_BY(class) SYNC_ATTRIBUTE(guarded_by(class))
/* On a function: its caller holds a lock of that class, or holds none. */
#define MUTEX_REQUIRES(...) SYNC_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define MUTEX_EXCLUDES(...) SYNC_ATTRIBUTE(locks_excluded(__VA_ARGS__))

/* Not recursive, for the threads of one process. */
struct mutex {
    pthread_mutex_t native;
};

void mutex_init(struct mutex *mutex);
/* Nobody holds it or will take it. */
void mutex_deinit(struct mutex *mutex);

/* What the macros below do to the mutex itself. */
void sync_lock(struct mutex *mutex);
void sync_unlock(struct mutex *mutex);
void sync_let_go(struct mutex **mutex);

/* What they tell the analysis. */
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

#define mutex_lock(mutex, class)   (sync_lock(mutex), sync_acquired(&(class)))
#define mutex_unlock(mutex, class) (sync_released(&(class)), sync_unlock(mutex))

/* As a statement among declarations: holds the mutex to the end of the enclosing block, however that is left. The
 * analysis takes the lock for held to the end of the function: let the block be the function's. Where a function has no early return, mutex_lock and mutex_unlock are followed on every path. */
#define MUTEX_HOLD(which, class)                                                        \
    struct mutex *class##_held __attribute__((cleanup(sync_let_go), unused)) = (which); \
    sync_lock(class##_held);                                                            \
    sync_asserted(&(class))

/* Something that threads wait for; what it is stands in data that the mutex guards. */
struct condition {
    pthread_cond_t native;
};

void condition_init(struct condition *condition);
void condition_deinit(struct condition *condition);
void sync_wait(struct condition *condition, struct mutex *mutex);
/* Lets go of the mutex while it waits; may return for no reason: wait in a loop that looks. */
#define condition_wait(condition, mutex, class) (sync_required(&(class)), sync_wait(condition, mutex))
void condition_wake_one(struct condition *condition);
void condition_wake_all(struct condition *condition);

#endif
