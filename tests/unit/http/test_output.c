/* SPDX-License-Identifier: MIT */
/* Answer bytes: in scratch memory while they fit, on the heap when they do not or are kept, replaced until committed. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "common/http/output.h"

enum { SCRATCH = 64, LIMIT = 4096 };

struct bench {
    struct scoreboard *scoreboard;
    struct output output;
    struct buffer *kept;
    size_t committed;
    char scratch[SCRATCH];
};

static void bench_init(struct bench *bench)
{
    *bench = (struct bench){.scoreboard = scoreboard_new(1, LIMIT)};
    bench->output = (struct output){
        .scratch = bench->scratch,
        .scratch_size = SCRATCH,
        .budget = {.scoreboard = bench->scoreboard, .counters = &bench->scoreboard->counters[0]}};
    output_open(&bench->output, &bench->kept, 0);
}

static void bench_deinit(struct bench *bench)
{
    buffer_free(&bench->kept, bench->output.budget);
    cr_expect_eq(atomic_load(&bench->scoreboard->held), 0, "all was given back");
    scoreboard_free(bench->scoreboard);
}

static void write_bytes(struct output *output, char byte, size_t length)
{
    char *bytes = malloc(length);
    memset(bytes, byte, length);
    output_write(output, (struct span){.data = bytes, .length = length});
    free(bytes);
}

static bool pending_is(const struct output *output, const char *text)
{
    return span_equal(output_unsent(output), (struct span){.data = text, .length = strlen(text)});
}

Test(output, only_what_is_committed_is_pending)
{
    struct bench b;
    bench_init(&b);
    cr_expect(output_empty(&b.output));
    output_write(&b.output, SPAN_LITERAL("one"));
    cr_expect(pending_is(&b.output, ""));
    output_commit(&b.output);
    output_write(&b.output, SPAN_LITERAL("two"));
    cr_expect(pending_is(&b.output, "one"));
    output_rollback(&b.output);
    output_write(&b.output, SPAN_LITERAL("three"));
    output_commit(&b.output);
    cr_expect(pending_is(&b.output, "onethree"));
    output_sent(&b.output, 2);
    cr_expect(pending_is(&b.output, "ethree"));
    output_sent(&b.output, 6);
    cr_expect(output_empty(&b.output));
    bench_deinit(&b);
}

Test(output, insert_moves_what_is_behind)
{
    struct bench b;
    bench_init(&b);
    output_write(&b.output, SPAN_LITERAL("headend"));
    output_insert(&b.output, b.output.start + 4, SPAN_LITERAL("-middle-"));
    output_commit(&b.output);
    cr_expect(pending_is(&b.output, "head-middle-end"));
    bench_deinit(&b);
}

Test(output, more_than_scratch_goes_to_the_heap_and_comes_back)
{
    struct bench b;
    bench_init(&b);
    write_bytes(&b.output, 'a', SCRATCH);
    cr_expect_null(b.output.heap);
    write_bytes(&b.output, 'b', 1);
    cr_assert_not_null(b.output.heap);
    output_commit(&b.output);
    cr_expect_eq(output_unsent(&b.output).length, SCRATCH + 1);
    cr_expect_eq(output_unsent(&b.output).data[SCRATCH], 'b');
    output_sent(&b.output, SCRATCH + 1);
    cr_expect_null(b.output.heap, "scratch serves again");
    bench_deinit(&b);
}

Test(output, what_is_unsent_is_kept_between_passes)
{
    struct bench b;
    bench_init(&b);
    output_write(&b.output, SPAN_LITERAL("sent kept "));
    output_commit(&b.output);
    output_write(&b.output, SPAN_LITERAL("begun"));
    output_sent(&b.output, 5);
    cr_expect_eq(output_close(&b.output, &b.kept, &b.committed), 0);
    cr_assert_not_null(b.kept);
    cr_expect_eq(b.committed, 5);
    memset(b.scratch, '?', SCRATCH);
    output_open(&b.output, &b.kept, b.committed);
    cr_expect_null(b.kept);
    cr_expect(pending_is(&b.output, "kept "));
    output_commit(&b.output);
    cr_expect(pending_is(&b.output, "kept begun"));
    output_sent(&b.output, 10);
    cr_expect_eq(output_close(&b.output, &b.kept, &b.committed), 0);
    cr_expect_null(b.kept);
    bench_deinit(&b);
}

Test(output, past_the_budget_a_write_fails_until_it_is_rolled_back)
{
    struct bench b;
    bench_init(&b);
    output_write(&b.output, SPAN_LITERAL("good"));
    output_commit(&b.output);
    write_bytes(&b.output, 'x', LIMIT * 2);
    cr_expect(b.output.failed);
    cr_expect_null(output_reserve(&b.output, 1));
    output_rollback(&b.output);
    cr_expect(!b.output.failed);
    cr_expect(pending_is(&b.output, "good"));
    output_sent(&b.output, 4);
    bench_deinit(&b);
}

/* What is committed may go a sixteenth past the limit; an answer that is only begun is given up for it. */
Test(output, an_answer_that_is_begun_is_dropped_first)
{
    struct bench b;
    bench_init(&b);
    cr_assert(budget_take(b.output.budget, LIMIT, BUDGET_MAY_REFUSE));
    output_write(&b.output, SPAN_LITERAL("owed"));
    output_commit(&b.output);
    output_write(&b.output, SPAN_LITERAL("begun"));
    cr_expect_eq(output_close(&b.output, &b.kept, &b.committed), -ENOBUFS);
    cr_expect_eq(b.committed, 4);
    cr_expect(span_equal(buffer_span(b.kept), SPAN_LITERAL("owed")));
    budget_give(b.output.budget, LIMIT);
    bench_deinit(&b);
}

Test(output, with_no_room_at_all_nothing_is_kept)
{
    struct bench b;
    bench_init(&b);
    cr_assert(budget_take(b.output.budget, LIMIT, BUDGET_MAY_REFUSE));
    cr_assert(budget_take(b.output.budget, LIMIT / 16, BUDGET_MUST_KEEP));
    output_write(&b.output, SPAN_LITERAL("owed"));
    output_commit(&b.output);
    cr_expect_eq(output_close(&b.output, &b.kept, &b.committed), -ENOMEM);
    cr_expect_null(b.kept);
    cr_expect_eq(b.committed, 0);
    budget_give(b.output.budget, LIMIT + LIMIT / 16);
    bench_deinit(&b);
}

Test(output, an_answer_that_is_rolled_back_leaves_nothing)
{
    struct bench b;
    bench_init(&b);
    write_bytes(&b.output, 'a', SCRATCH + 1);
    cr_assert_not_null(b.output.heap);
    output_rollback(&b.output);
    cr_expect_eq(output_close(&b.output, &b.kept, &b.committed), 0);
    cr_expect_null(b.kept, "an empty buffer is not kept");
    cr_expect_eq(atomic_load(&b.scoreboard->held), 0);
    bench_deinit(&b);
}
