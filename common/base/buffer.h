/* SPDX-License-Identifier: MIT */
/* A growing array of bytes on the heap, counted in the budget. An empty buffer is a NULL pointer. */
#ifndef ECHOD_COMMON_BASE_BUFFER_H
#define ECHOD_COMMON_BASE_BUFFER_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/budget.h"
#include "common/base/compiler.h"
#include "common/base/span.h"

/* Bytes [start, end) are in use; those before `start` were consumed. */
struct buffer {
    size_t start;
    size_t end;
    size_t capacity;
    char data[];
};

/* All functions: the caller owns `*buffer`, which may be NULL unless stated otherwise. `budget` is that of the
 * calling thread. One thread at a time. Sizes are in bytes. */

/* Makes room for `room` more bytes behind `end`. May move the bytes or reallocate the buffer: pointers into it
 * become invalid. Returns 0, -ENOMEM if there is no memory, or -ENOBUFS if the budget is exhausted; after an error
 * the buffer is unchanged. */
int buffer_reserve(struct buffer **buffer, size_t room, struct budget budget, enum budget_need need);
/* Appends a copy of `data`, which must not point into the buffer. Returns as buffer_reserve does. */
int buffer_append(struct buffer **buffer, const void *data, size_t length, struct budget budget,
                  enum budget_need need);
/* Removes the first `length` bytes, at most buffer_length. Frees the buffer if nothing is left. */
void buffer_consume(struct buffer **buffer, size_t length, struct budget budget);
/* buffer_free for a buffer that is not NULL. */
void buffer_free_slow(struct buffer **buffer, struct budget budget);
/* Frees the buffer, gives its capacity back to the budget and sets `*buffer` to NULL. */
static inline void buffer_free(struct buffer **buffer, struct budget budget)
{
    if (unlikely(*buffer != NULL)) {
        buffer_free_slow(buffer, budget);
    }
}

/* Returns the number of bytes in use. */
static inline size_t buffer_length(const struct buffer *buffer)
{
    return buffer == NULL ? 0 : buffer->end - buffer->start;
}

/* Returns the bytes in use; valid until the buffer changes. */
static inline struct span buffer_span(const struct buffer *buffer)
{
    return buffer == NULL
               ? (struct span){.data = "", .length = 0}
               : (struct span){.data = buffer->data + buffer->start, .length = buffer->end - buffer->start};
}

#endif
