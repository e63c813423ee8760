/* SPDX-License-Identifier: MIT */
/* Threads record while another reads: a chunk in a copy has only records of one thread, in their order, and the chunks of
 * a thread follow each other. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/trace.h"

enum { CHUNKS = 16, CHUNK_SIZE = 4096, WRITERS = 4, RECORDS = 200000, LIVES = 20 };

static _Atomic int writing = WRITERS;

#define REQUIRE(condition)                                     \
    do {                                                       \
        if (!(condition)) {                                    \
            fprintf(stderr, "%d: %s\n", __LINE__, #condition); \
            exit(1);                                           \
        }                                                      \
    } while (0)

/* Each life is a track; the values of its records grow by one. */
static void *write_records(void *arg)
{
    uint64_t number = (uint64_t)(uintptr_t)arg;
    for (int life = 0; life < LIVES; life++) {
        trace_thread_begin(TRACE_WORKER, number);
        for (uint64_t i = 0; i < RECORDS / LIVES; i++) {
            TRACE(read, number, i);
        }
        trace_thread_end();
    }
    atomic_fetch_sub(&writing, 1);
    return NULL;
}

static void check_chunk(const struct trace_chunk *chunk)
{
    REQUIRE(chunk->kind == TRACE_WORKER && chunk->number >= 1 && chunk->number <= WRITERS);
    for (unsigned i = 1; i < chunk->count; i++) {
        const struct trace_record *record = &chunk->records[i];
        const struct trace_record *before = record - 1;
        REQUIRE(record->time_ns >= before->time_ns);
        if (record->event == TRACE_read) {
            REQUIRE(record->connection == chunk->number);
            REQUIRE(before->event == TRACE_thread_begin ? record->value == 0
                                                        : record->value == before->value + 1);
        }
    }
}

int main(void)
{
    static struct trace_chunk chunk;
    pthread_t threads[WRITERS];
    unsigned long readings = 0;
    REQUIRE(trace_init((size_t)CHUNKS * CHUNK_SIZE) == 0);
    for (uintptr_t i = 0; i < WRITERS; i++) {
        REQUIRE(pthread_create(&threads[i], NULL, write_records, (void *)(i + 1)) == 0);
    }
    while (atomic_load(&writing) > 0 || readings == 0) {
        struct trace_copy *copy = trace_copy_new();
        REQUIRE(copy != NULL);
        for (size_t i = 0; i < trace_copy_count(copy); i++) {
            uint32_t track = chunk.track;
            uint64_t number = chunk.number;
            trace_copy_read(copy, i, &chunk);
            REQUIRE(i == 0 || chunk.track > track || (chunk.track == track && chunk.number == number));
            check_chunk(&chunk);
            readings++;
        }
        trace_copy_free(copy);
    }
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(threads[i], NULL);
    }
    printf("%lu chunks were read, %llu records overwritten\n", readings,
           (unsigned long long)trace_losses().overwritten);
    return 0;
}
