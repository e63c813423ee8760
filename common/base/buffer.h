/* SPDX-License-Identifier: MIT */
/* A growing run of bytes on the heap, paid for from the budget; the pointer to it is all that an empty one costs. */
#ifndef ECHOD_COMMON_BASE_BUFFER_H
#define ECHOD_COMMON_BASE_BUFFER_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/budget.h"
#include "common/base/compiler.h"
#include "common/base/span.h"

/* Bytes [start, end) are in use, those before `start` were consumed. */
struct buffer {
    size_t start;
    size_t end;
    size_t capacity;
    char data[];
};

/* All functions: the caller owns `*buffer`; NULL is an empty one; one thread at a time.
 *
 * Makes room for `room` more bytes behind `end`, moving or reallocating what is there: pointers into it go stale.
 * 0, -ENOMEM if there is no memory, -ENOBUFS if the budget has none; then the buffer is as it was. */
int buffer_reserve(struct buffer **buffer, size_t room, struct budget budget, enum budget_need need);
/* Reserves and copies. `data` must not point into the buffer. */
int buffer_append(struct buffer **buffer, const void *data, size_t length, struct budget budget,
                  enum budget_need need);
/* Drops `length` bytes from the front; an emptied buffer is freed. */
void buffer_consume(struct buffer **buffer, size_t length, struct budget budget);
void buffer_free_slow(struct buffer **buffer, struct budget budget);
/* Frees it and gives its bytes back to the budget. */
static inline void buffer_free(struct buffer **buffer, struct budget budget)
{
    if (unlikely(*buffer != NULL)) {
        buffer_free_slow(buffer, budget);
    }
}

static inline size_t buffer_length(const struct buffer *buffer)
{
    return buffer == NULL ? 0 : buffer->end - buffer->start;
}

static inline struct span buffer_span(const struct buffer *buffer)
{
    return buffer == NULL
               ? (struct span){.data = "", .length = 0}
               : (struct span){.data = buffer->data + buffer->start, .length = buffer->end - buffer->start};
}

#endif
