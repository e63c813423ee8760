/* SPDX-License-Identifier: MIT */
/* The answer bytes of one connection: written into a thread's scratch memory, and kept on the heap only if unsent. */
#ifndef ECHOD_COMMON_HTTP_OUTPUT_H
#define ECHOD_COMMON_HTTP_OUTPUT_H

#include "common/base/compiler.h"
#include "common/base/buffer.h"

/* [start, committed) may be sent; [committed, end) is an answer that an error may still replace. Lives in a context;
 * between output_open and output_close it belongs to the one session that has entered. */
struct output {
    char *data; /* scratch, or heap->data */
    size_t start;
    size_t committed;
    size_t end;
    size_t capacity;
    struct buffer *heap; /* NULL while the scratch memory serves */
    char *scratch;       /* the context's */
    size_t scratch_size;
    struct budget budget;
    bool failed; /* a write found neither memory nor budget: the rest is missing */
};

/* Takes over what a session kept (`*kept`, then NULL; of its bytes the first `committed` are), or begins in scratch. */
void output_open(struct output *output, struct buffer **kept, size_t committed);
/* Gives what is unsent to `*kept` (NULL if nothing is) and the number of its committed bytes to `*committed`. The answer
 * that is not committed is given up first if the budget has no room. 0, or -ENOBUFS if that answer was dropped, or
 * -ENOMEM if even the committed bytes cannot be kept: then nothing is. */
int output_close(struct output *output, struct buffer **kept, size_t *committed);

/* Makes more room, or sets `failed`. */
char *output_reserve_slow(struct output *output, size_t length);
void output_write_slow(struct output *output, const char *data, size_t length);
/* Puts `data` in at `position`, moving what is behind it. */
void output_insert(struct output *output, size_t position, struct span data);

/* Room for `length` bytes at the end, or NULL (then `failed` is set). Followed by output_advance. */
static inline char *output_reserve(struct output *output, size_t length)
{
    return likely(output->capacity - output->end >= length) && !output->failed
               ? output->data + output->end
               : output_reserve_slow(output, length);
}

static inline void output_advance(struct output *output, size_t length)
{
    output->end += length;
}

static inline void output_write(struct output *output, struct span data)
{
    if (likely(output->capacity - output->end >= data.length)) {
        span_copy(output->data + output->end, data);
        output->end += data.length;
    } else {
        output_write_slow(output, data.data, data.length);
    }
}

static inline void output_commit(struct output *output)
{
    output->committed = output->end;
}

/* Drops the answer that is not committed. */
static inline void output_rollback(struct output *output)
{
    output->end = output->committed;
    output->failed = false;
}

static inline struct span output_unsent(const struct output *output)
{
    return (struct span){.data = output->data + output->start, .length = output->committed - output->start};
}

/* Nothing is unsent, and nothing on the heap: it need not be closed. */
static inline bool output_empty(const struct output *output)
{
    return output->heap == NULL && output->start == output->end;
}

/* Everything was sent: begins in scratch again. */
void output_restart(struct output *output);

/* `length` bytes of output_unsent were sent. */
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
