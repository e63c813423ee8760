/* SPDX-License-Identifier: MIT */
/* What a thread records is read again, in its order; chunks are used again from the oldest on, and what is lost is counted. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/trace.h"

enum { CHUNKS = 4, CHUNK_SIZE = 4096, ALL_RECORDS = CHUNKS * TRACE_CHUNK_RECORDS };

static struct trace_chunk chunk;

static void init(void)
{
    cr_assert_eq(trace_init((size_t)CHUNKS * CHUNK_SIZE), 0);
}

static size_t count_chunks(void)
{
    struct trace_copy *copy = trace_copy_new();
    cr_assert_not_null(copy);
    size_t count = trace_copy_count(copy);
    trace_copy_free(copy);
    return count;
}

/* The chunk of this index in a copy made now. */
static const struct trace_chunk *read_chunk(size_t index)
{
    struct trace_copy *copy = trace_copy_new();
    cr_assert_not_null(copy);
    cr_assert_lt(index, trace_copy_count(copy));
    trace_copy_read(copy, index, &chunk);
    trace_copy_free(copy);
    return &chunk;
}

static void record(uint64_t first, uint64_t count)
{
    for (uint64_t i = first; i < first + count; i++) {
        TRACE(read, i, 1000 + i);
    }
}

Test(trace, without_trace_init_nothing_is_recorded)
{
    cr_assert(!trace_is_on);
    trace_thread_begin(TRACE_LOOP, 1);
    record(1, 3);
    trace_thread_end();
    cr_expect_eq(count_chunks(), 0);
}

Test(trace, a_threads_records_have_its_name_and_their_order, .init = init)
{
    trace_thread_begin(TRACE_WORKER, 7);
    record(1, 2);
    const struct trace_chunk *c = read_chunk(0);
    cr_expect_eq(c->kind, TRACE_WORKER);
    cr_expect_eq(c->number, 7);
    cr_expect_eq(c->process, getpid());
    cr_expect_eq(c->thread, gettid());
    cr_assert_eq(c->count, 3);
    cr_expect_eq(c->records[0].event, TRACE_thread_begin);
    cr_expect_eq(c->records[0].value, TRACE_WORKER);
    for (uint64_t i = 1; i <= 2; i++) {
        cr_expect_eq(c->records[i].event, TRACE_read);
        cr_expect_eq(c->records[i].connection, i);
        cr_expect_eq(c->records[i].value, 1000 + i);
        cr_expect_geq(c->records[i].time_ns, c->records[i - 1].time_ns);
    }
}

Test(trace, a_request_begins_when_its_bytes_were_read_and_has_its_first_bytes, .init = init)
{
    static const char head[] = "GET /delay/2s HTTP/1.1\r\nHost: a\r\n\r\n";
    trace_thread_begin(TRACE_LOOP, 0);
    record(5, 1);
    TRACE_REQUEST(UINT64_C(5), ((struct span){.data = head, .length = sizeof head - 1}));
    TRACE_REQUEST(UINT64_C(6), SPAN_LITERAL("BAD"));
    const struct trace_chunk *c = read_chunk(0);
    cr_assert_eq(c->count, 4);
    cr_expect_eq(c->records[2].event, TRACE_request_begin);
    cr_expect_eq(c->records[2].connection, 5);
    cr_expect_eq(c->records[2].time_ns, c->records[1].time_ns);
    cr_expect_eq(memcmp(c->records[2].text, head, TRACE_TEXT_SIZE), 0);
    cr_expect_eq(c->records[3].connection, 6);
    cr_expect_str_eq(c->records[3].text, "BAD");
}

Test(trace, a_request_at_the_begin_of_a_chunk_has_the_time_of_the_record_before, .init = init)
{
    trace_thread_begin(TRACE_LOOP, 0);
    record(1, TRACE_CHUNK_RECORDS - 1);
    uint64_t before_ns = read_chunk(0)->records[TRACE_CHUNK_RECORDS - 1].time_ns;
    TRACE_REQUEST(UINT64_C(9), SPAN_LITERAL("GET / HTTP/1.1"));
    cr_expect_eq(read_chunk(1)->records[0].time_ns, before_ns);
    cr_expect_eq(read_chunk(1)->before_ns, before_ns);
    record(1, TRACE_CHUNK_RECORDS);
    before_ns = read_chunk(1)->records[TRACE_CHUNK_RECORDS - 1].time_ns;
    cr_expect_eq(read_chunk(2)->before_ns, before_ns, "also where the clock is read");
}

Test(trace, the_oldest_chunk_is_overwritten_and_counted, .init = init)
{
    trace_thread_begin(TRACE_LOOP, 0);
    record(1, ALL_RECORDS - 1);
    cr_expect_eq(trace_losses().overwritten, 0);
    struct trace_copy *old = trace_copy_new();
    record(ALL_RECORDS, 1);
    cr_expect_eq(trace_losses().overwritten, TRACE_CHUNK_RECORDS);
    cr_expect_eq(read_chunk(CHUNKS - 1)->records[0].connection, ALL_RECORDS, "the newest is the last");
    cr_expect_eq(read_chunk(0)->records[0].connection, TRACE_CHUNK_RECORDS);
    trace_copy_read(old, 0, &chunk);
    cr_expect_eq(chunk.records[0].event, TRACE_thread_begin, "a copy stays as it is");
    trace_copy_free(old);
    cr_expect_eq(trace_losses().dropped, 0);
}

Test(trace, memory_that_nobody_has_used_is_not_copied, .init = init)
{
    cr_expect_eq(count_chunks(), 0);
    trace_thread_begin(TRACE_LOOP, 0);
    cr_expect_eq(count_chunks(), 1);
}

/* As if the child that fills the chunk had crashed. */
Test(trace, the_chunk_of_a_process_that_has_crashed_is_used_again, .init = init)
{
    for (int i = 0; i < 3 * CHUNKS; i++) {
        pid_t child = fork();
        if (child == 0) {
            trace_thread_begin(TRACE_PROCESS, 1);
            _exit(0);
        }
        cr_assert_eq(waitpid(child, NULL, 0), child);
        trace_process_ended(child);
    }
    trace_thread_begin(TRACE_LOOP, 0);
    cr_expect_eq(trace_losses().dropped, 0);
}

static void *short_thread(void *arg)
{
    trace_thread_begin(TRACE_CONNECTION, *(uint64_t *)arg);
    record(*(uint64_t *)arg, 1);
    trace_thread_end();
    return NULL;
}

static void run_short_thread(uint64_t number)
{
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, short_thread, &number), 0);
    pthread_join(thread, NULL);
}

/* Threads that are gone leave their chunks; one that is still there keeps its own. */
Test(trace, a_thread_keeps_the_chunk_that_it_fills, .init = init)
{
    trace_thread_begin(TRACE_LOOP, 0);
    for (uint64_t number = 1; number <= 3 * CHUNKS; number++) {
        run_short_thread(number);
    }
    record(77, 1);
    cr_expect_eq(read_chunk(0)->kind, TRACE_LOOP);
    cr_expect_eq(read_chunk(0)->records[1].connection, 77);
    cr_expect_eq(trace_losses().dropped, 0);
    cr_expect_gt(trace_losses().overwritten, 0);
    uint32_t tracks[CHUNKS];
    for (size_t i = 0; i < CHUNKS; i++) {
        tracks[i] = read_chunk(i)->track;
        for (size_t k = 0; k < i; k++) {
            cr_expect_neq(tracks[i], tracks[k]);
        }
    }
}

struct gate {
    pthread_barrier_t all_have, may_end;
};

static void *long_thread(void *arg)
{
    struct gate *gate = arg;
    trace_thread_begin(TRACE_WORKER, 1);
    pthread_barrier_wait(&gate->all_have);
    pthread_barrier_wait(&gate->may_end);
    trace_thread_end();
    return NULL;
}

Test(trace, records_are_dropped_and_counted_while_living_threads_have_all_chunks, .init = init)
{
    struct gate gate;
    pthread_t threads[CHUNKS];
    pthread_barrier_init(&gate.all_have, NULL, CHUNKS + 1);
    pthread_barrier_init(&gate.may_end, NULL, CHUNKS + 1);
    for (int i = 0; i < CHUNKS; i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL, long_thread, &gate), 0);
    }
    pthread_barrier_wait(&gate.all_have);
    trace_thread_begin(TRACE_LOOP, 0);
    record(1, 4);
    cr_expect_eq(trace_losses().dropped, 5);
    pthread_barrier_wait(&gate.may_end);
    for (int i = 0; i < CHUNKS; i++) {
        pthread_join(threads[i], NULL);
    }
    record(1, 2000); /* some are dropped before it looks again */
    cr_expect_lt(trace_losses().dropped, 2000);
    cr_expect_eq(trace_losses().overwritten > 0, true);
}
