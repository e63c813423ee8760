/* SPDX-License-Identifier: MIT */
/* Locks are held from taking to letting go, however a block is left; a condition wakes those that wait. */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>

#include "common/base/sync.h"

MUTEX_CLASS(box_lock);

struct box {
    struct mutex mutex; /* box_lock */
    struct condition changed;
    int count MUTEX_GUARDED_BY(box_lock);
};

static struct box box;

static void box_init(void)
{
    mutex_init(&box.mutex);
    condition_init(&box.changed);
}

static void box_deinit(void)
{
    condition_deinit(&box.changed);
    mutex_deinit(&box.mutex);
}

/* Not known to the analysis: it only asks. */
static bool is_held(void)
{
    int error = pthread_mutex_trylock(&box.mutex.native);
    if (error == 0) {
        pthread_mutex_unlock(&box.mutex.native);
    }
    return error == EBUSY;
}

Test(sync, lock_and_unlock, .init = box_init, .fini = box_deinit)
{
    cr_expect(!is_held());
    mutex_lock(&box.mutex, box_lock);
    box.count++;
    cr_expect(is_held());
    mutex_unlock(&box.mutex, box_lock);
    cr_expect(!is_held());
}

enum { FALLS_OFF, RETURNS, RETURNS_FROM_LOOP, WAYS };

static int leave_by(int way)
{
    MUTEX_HOLD(&box.mutex, box_lock);
    if (way == RETURNS) {
        return ++box.count + !is_held() * 1000;
    }
    for (int i = 0; i < 10; i++) {
        if (way == RETURNS_FROM_LOOP && i == 5) {
            return ++box.count + !is_held() * 1000;
        }
    }
    return ++box.count + !is_held() * 1000;
}

Test(sync, a_hold_ends_with_its_block, .init = box_init, .fini = box_deinit)
{
    for (int way = 0; way < WAYS; way++) {
        cr_expect_eq(leave_by(way), way + 1, "held inside");
        cr_expect(!is_held(), "let go when left by way %d", way);
    }
}

/* Waits until there is something to take. */
static void *take_one(void *argument)
{
    (void)argument;
    mutex_lock(&box.mutex, box_lock);
    while (box.count == 0) {
        condition_wait(&box.changed, &box.mutex, box_lock);
    }
    box.count--;
    mutex_unlock(&box.mutex, box_lock);
    return NULL;
}

static void put(int count, bool all)
{
    mutex_lock(&box.mutex, box_lock);
    box.count += count;
    if (all) {
        condition_wake_all(&box.changed);
    } else {
        condition_wake_one(&box.changed);
    }
    mutex_unlock(&box.mutex, box_lock);
}

Test(sync, each_wake_lets_one_go, .init = box_init, .fini = box_deinit, .timeout = 60)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL, take_one, NULL), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        put(1, false);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    cr_expect_eq(leave_by(FALLS_OFF), 1, "all were taken");
}

Test(sync, waking_all_lets_all_go, .init = box_init, .fini = box_deinit, .timeout = 60)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL, take_one, NULL), 0);
    }
    put(THREADS, true);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    cr_expect_eq(leave_by(FALLS_OFF), 1, "all were taken");
}
