/* SPDX-License-Identifier: MIT */
/* All answers are contiguous, so that one send carries them. */
#include "common/http/output.h"

#include <errno.h>

static void output_use_scratch(struct output *output)
{
    output->heap = NULL;
    output->data = output->scratch;
    output->capacity = output->scratch_size;
    output->start = output->committed = output->end = 0;
}

void output_restart(struct output *output)
{
    buffer_free(&output->heap, output->budget);
    output_use_scratch(output);
}

static void output_use_heap(struct output *output)
{
    output->data = output->heap->data;
    output->start = output->heap->start;
    output->end = output->heap->end;
    output->capacity = output->heap->capacity;
}

void output_open(struct output *output, struct buffer **kept, size_t committed)
{
    output->failed = false;
    if (*kept == NULL) {
        output_use_scratch(output);
        return;
    }
    output->heap = *kept;
    *kept = NULL;
    output_use_heap(output);
    output->committed = output->start + committed;
}

/* Makes room on the heap, and moves the unsent bytes there if they are in scratch memory. */
static bool output_grow(struct output *output, size_t room)
{
    size_t committed = output->committed - output->start;
    enum budget_need need = output->committed < output->end ? BUDGET_MAY_REFUSE : BUDGET_MUST_KEEP;
    if (output->heap == NULL) {
        struct buffer *heap = NULL;
        size_t length = output->end - output->start;
        if (buffer_reserve(&heap, length + room, output->budget, need) != 0) {
            return false;
        }
        memcpy(heap->data, output->data + output->start, length);
        heap->end = length;
        output->heap = heap;
    } else {
        output->heap->start = output->start;
        output->heap->end = output->end;
        if (buffer_reserve(&output->heap, room, output->budget, need) != 0) {
            return false;
        }
    }
    output_use_heap(output);
    output->committed = output->start + committed;
    return true;
}

char *output_reserve_slow(struct output *output, size_t length)
{
    if (output->failed || !output_grow(output, length)) {
        output->failed = true;
        return NULL;
    }
    return output->data + output->end;
}

void output_write_slow(struct output *output, const char *data, size_t length)
{
    char *room = output_reserve(output, length);
    if (room != NULL) {
        memcpy(room, data, length);
        output->end += length;
    }
}

void output_insert(struct output *output, size_t position, struct span data)
{
    size_t offset = position - output->start;
    if (output_reserve(output, data.length) == NULL) {
        return;
    }
    char *at = output->data + output->start + offset;
    memmove(at + data.length, at, (size_t)(output->data + output->end - at));
    memcpy(at, data.data, data.length);
    output->end += data.length;
}

int output_close(struct output *output, struct buffer **kept, size_t *committed)
{
    int error = 0;
    if (output->heap == NULL && output->start < output->end && !output_grow(output, 0)) {
        error = -ENOBUFS;
        output_rollback(output);
        if (output->start < output->end && !output_grow(output, 0)) {
            error = -ENOMEM;
            output->start = output->committed = output->end = 0;
        }
    }
    *committed = output->committed - output->start;
    if (output->heap != NULL && output->start == output->end) {
        buffer_free(&output->heap, output->budget);
    }
    if (output->heap != NULL) {
        output->heap->start = output->start;
        output->heap->end = output->end;
    }
    *kept = output->heap;
    output_use_scratch(output);
    return error;
}
