/* SPDX-License-Identifier: MIT */
/* Each growth doubles the size. Room at the front, from consumed bytes, is reused before the buffer grows. */
#include "common/base/buffer.h"

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* A buffer with its own header and the allocator's is a power of two, so that a mapped one fills its pages. */
enum { BUFFER_MIN = 512, BUFFER_HEADERS = sizeof(struct buffer) + 24 };

/* malloc maps allocations from this size on instead of taking them from the heap: normally, and while much is held.
 * Buffers are a little smaller than a power of two, so this applies to those of the next power. */
enum { BUFFER_MAPPED_FROM = 128 * 1024, BUFFER_MAPPED_FROM_WHEN_MUCH = 16 * 1024 };

/* Thousands of buffers that grow at the same time and are freed at different times leave holes in the heap that no
 * other buffer fits. The holes can take half as much memory again as the budget. Mapped buffers leave no holes, but
 * double the cost of a large echo. So mapped buffers are used from the time when a sixteenth of the budget is held
 * until less than a thirty-second of it is held. */
static void buffer_choose_memory(struct budget budget)
{
    static _Atomic bool much;
    uint64_t held = atomic_load_explicit(&budget.scoreboard->held, memory_order_relaxed);
    uint64_t limit = budget.scoreboard->held_limit;
    bool now = atomic_load_explicit(&much, memory_order_relaxed);
    if (now ? held < limit / 32 : held >= limit / 16) {
        atomic_store_explicit(&much, !now, memory_order_relaxed);
        mallopt(M_MMAP_THRESHOLD, now ? BUFFER_MAPPED_FROM : BUFFER_MAPPED_FROM_WHEN_MUCH);
    }
}

static size_t buffer_next_capacity(size_t needed)
{
    size_t size = BUFFER_MIN;
    while (size - BUFFER_HEADERS < needed) {
        size *= 2;
    }
    return size - BUFFER_HEADERS;
}

static int buffer_grow(struct buffer **buffer, size_t capacity, struct budget budget, enum budget_need need)
{
    size_t old = *buffer == NULL ? 0 : (*buffer)->capacity;
    if (!budget_take(budget, capacity - old, need)) {
        return -ENOBUFS;
    }
    buffer_choose_memory(budget);
    struct buffer *grown = realloc(*buffer, sizeof(struct buffer) + capacity);
    if (grown == NULL) {
        budget_give(budget, capacity - old);
        return -ENOMEM;
    }
    if (*buffer == NULL) {
        grown->start = grown->end = 0;
    }
    grown->capacity = capacity;
    *buffer = grown;
    return 0;
}

int buffer_reserve(struct buffer **buffer, size_t room, struct budget budget, enum budget_need need)
{
    struct buffer *b = *buffer;
    if (b != NULL) {
        if (b->capacity - b->end >= room) {
            return 0;
        }
        size_t length = b->end - b->start;
        /* A move costs `length` bytes: made only if at least as many were consumed since the last one. */
        if (b->start >= length && b->capacity - length >= room) {
            memmove(b->data, b->data + b->start, length);
            b->start = 0;
            b->end = length;
            return 0;
        }
    }
    size_t needed = (b == NULL ? 0 : b->end) + room;
    size_t capacity = buffer_next_capacity(needed);
    int error = buffer_grow(buffer, capacity, budget, need);
    if (error == -ENOBUFS && capacity > needed) {
        error = buffer_grow(buffer, needed, budget, need);
    }
    return error;
}

int buffer_append(struct buffer **buffer, const void *data, size_t length, struct budget budget,
                  enum budget_need need)
{
    if (length == 0) {
        return 0;
    }
    int error = buffer_reserve(buffer, length, budget, need);
    if (error == 0) {
        memcpy((*buffer)->data + (*buffer)->end, data, length);
        (*buffer)->end += length;
    }
    return error;
}

void buffer_consume(struct buffer **buffer, size_t length, struct budget budget)
{
    if (*buffer == NULL) {
        return;
    }
    (*buffer)->start += length;
    if ((*buffer)->start == (*buffer)->end) {
        buffer_free(buffer, budget);
    }
}

void buffer_free_slow(struct buffer **buffer, struct budget budget)
{
    budget_give(budget, (*buffer)->capacity);
    free(*buffer);
    *buffer = NULL;
}
