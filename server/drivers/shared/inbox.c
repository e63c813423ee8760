/* SPDX-License-Identifier: MIT */
/* Two arrays that are exchanged under a lock. */
#include "server/drivers/shared/inbox.h"

#include <errno.h>
#include <stdlib.h>

static void free_lists(struct inbox *inbox)
{
    mutex_lock(&inbox->mutex, inbox_lock);
    free(inbox->waiting.items);
    mutex_unlock(&inbox->mutex, inbox_lock);
    free(inbox->taken.items);
}

static int inbox_list_reserve(struct inbox_list *list, size_t capacity)
{
    struct accepted *items = reallocarray(list->items, capacity, sizeof(*items));
    if (items == NULL) {
        return -ENOMEM;
    }
    list->items = items;
    list->capacity = capacity;
    return 0;
}

/* The first connections find room although there is no memory. */
static int reserve_lists(struct inbox *inbox)
{
    enum { FIRST = 64 };
    mutex_lock(&inbox->mutex, inbox_lock);
    int error = inbox_list_reserve(&inbox->waiting, FIRST);
    mutex_unlock(&inbox->mutex, inbox_lock);
    return error != 0 ? error : inbox_list_reserve(&inbox->taken, FIRST);
}

int inbox_init(struct inbox *inbox)
{
    *inbox = (struct inbox){0};
    mutex_init(&inbox->mutex);
    int error = reserve_lists(inbox);
    error = error != 0 ? error : wakeup_init(&inbox->wakeup);
    if (error != 0) {
        free_lists(inbox);
        mutex_deinit(&inbox->mutex);
    }
    return error;
}

void inbox_deinit(struct inbox *inbox)
{
    free_lists(inbox);
    mutex_deinit(&inbox->mutex);
    wakeup_deinit(&inbox->wakeup);
}

static bool inbox_list_add(struct inbox_list *list, const struct accepted *accepted)
{
    if (list->count == list->capacity && inbox_list_reserve(list, 2 * list->capacity) != 0) {
        return false;
    }
    list->items[list->count++] = *accepted;
    return true;
}

int inbox_put(struct inbox *inbox, const struct accepted *accepted)
{
    mutex_lock(&inbox->mutex, inbox_lock);
    bool added = inbox_list_add(&inbox->waiting, accepted);
    bool first = inbox->waiting.count == 1;
    mutex_unlock(&inbox->mutex, inbox_lock);
    if (added && first) {
        wakeup_notify(&inbox->wakeup);
    }
    return added ? 0 : -ENOMEM;
}

void inbox_order(struct inbox *inbox, enum inbox_order order)
{
    mutex_lock(&inbox->mutex, inbox_lock);
    bool news = inbox->order != order;
    inbox->order = order;
    mutex_unlock(&inbox->mutex, inbox_lock);
    if (news) {
        wakeup_notify(&inbox->wakeup);
    }
}

void inbox_wake(const struct inbox *inbox)
{
    wakeup_notify(&inbox->wakeup);
}

enum inbox_order inbox_take(struct inbox *inbox)
{
    wakeup_clear(&inbox->wakeup);
    struct inbox_list empty = inbox->taken;
    empty.count = 0;
    mutex_lock(&inbox->mutex, inbox_lock);
    inbox->taken = inbox->waiting;
    inbox->waiting = empty;
    enum inbox_order order = inbox->order;
    mutex_unlock(&inbox->mutex, inbox_lock);
    return order;
}
