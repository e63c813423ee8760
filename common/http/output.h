/* SPDX-License-Identifier: MIT */
/* The answers of one connection as bytes: written to the scratch memory of a context, and kept on the heap only while
 * unsent. */
#ifndef ECHOD_COMMON_HTTP_OUTPUT_H
#define ECHOD_COMMON_HTTP_OUTPUT_H

#include "common/base/compiler.h"
#include "common/base/buffer.h"

/* Bytes [start, committed) may be sent. Bytes [committed, end) belong to an answer that an error may still replace. The
 * output is part of a context; between output_open and output_close the session that has entered uses it. */
struct output {
    char *data; /* scratch, or heap->data */
    size_t start;
    size_t committed;
    size_t end;
    size_t capacity;
    struct buffer *heap; /* NULL while the scratch memory is used */
    char *scratch;       /* owned by the context's owner */
    size_t scratch_size;
    struct budget budget;
    bool failed; /* a write found no memory or budget: the answer is incomplete */
};

/* All functions: the thread that uses the context. Lengths are in bytes. */

/* Takes over the buffer that output_close has kept for a session (and sets `*kept` to NULL); its first `committed`
 * bytes are committed. With NULL in `*kept` the output begins empty, in scratch memory. */
void output_open(struct output *output, struct buffer **kept, size_t committed);
/* Moves the unsent bytes to a buffer in `*kept`, which the caller owns (NULL: nothing is unsent), and sets
 * `*committed` to the number of committed bytes in it. Returns 0; -ENOBUFS if there was no memory or budget for all
 * of them, and the uncommitted answer was dropped; -ENOMEM if there was none even for the committed bytes, and all
 * were dropped. */
int output_close(struct output *output, struct buffer **kept, size_t *committed);

/* output_reserve when the memory in use has no room. */
char *output_reserve_slow(struct output *output, size_t length);
/* output_write when the memory in use has no room. */
void output_write_slow(struct output *output, const char *data, size_t length);
/* Inserts `data` at `position`, an offset in output->data from `start` to `end`. `committed` stays as it is: if
 * `position` is before it, the caller must commit again. If there is no memory or budget, inserts nothing and sets
 * `failed`. */
void output_insert(struct output *output, size_t position, struct span data);

/* Returns room for `length` bytes at the end, to be filled and then added with output_advance; valid until the next
 * call. Returns NULL and sets `failed` if there is no memory or budget; then also for all later calls until
 * output_rollback. */
static inline char *output_reserve(struct output *output, size_t length)
{
    return likely(output->capacity - output->end >= length) && !output->failed
               ? output->data + output->end
               : output_reserve_slow(output, length);
}

/* Adds `length` bytes that were written to the room from output_reserve. */
static inline void output_advance(struct output *output, size_t length)
{
    output->end += length;
}

/* Appends `data`, which must not point into the output. Sets `failed` if there is no memory or budget. */
static inline void output_write(struct output *output, struct span data)
{
    if (likely(output->capacity - output->end >= data.length)) {
        span_copy(output->data + output->end, data);
        output->end += data.length;
    } else {
        output_write_slow(output, data.data, data.length);
    }
}

/* Commits the answer: from now on its bytes may be sent. */
static inline void output_commit(struct output *output)
{
    output->committed = output->end;
}

/* Drops the uncommitted answer and clears `failed`. */
static inline void output_rollback(struct output *output)
{
    output->end = output->committed;
    output->failed = false;
}

/* Returns the committed bytes that are not sent yet; valid until the output changes. */
static inline struct span output_unsent(const struct output *output)
{
    return (struct span){.data = output->data + output->start, .length = output->committed - output->start};
}

/* Whether nothing is unsent or on the heap, so that output_close is not needed. */
static inline bool output_empty(const struct output *output)
{
    return output->heap == NULL && output->start == output->end;
}

/* Frees the heap memory and begins again in scratch memory. For output_sent. */
void output_restart(struct output *output);

/* Removes the first `length` bytes of output_unsent, which were sent. */
static inline void output_sent(struct output *output, size_t length)
{
    output->start += length;
    if (output->start == output->end) {
        output->start = output->committed = output->end = 0;
        if (output->heap != NULL) {
            output_restart(output);
        }
    }
}

#endif
