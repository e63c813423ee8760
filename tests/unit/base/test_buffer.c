/* SPDX-License-Identifier: MIT */
/* A buffer against a plain model of it, what it pays, and what it does when it cannot. */
#include <criterion/criterion.h>
#include <errno.h>

#include "common/base/buffer.h"

enum { AMPLE = 1 << 20 };

static struct budget budget_of(struct scoreboard *scoreboard)
{
    return (struct budget){.scoreboard = scoreboard, .counters = &scoreboard->counters[0]};
}

static uint64_t held(const struct scoreboard *scoreboard)
{
    return atomic_load(&scoreboard->held);
}

Test(buffer, nothing_costs_nothing)
{
    struct scoreboard *scoreboard = scoreboard_new(1, 0);
    struct buffer *buffer = NULL;
    cr_expect_eq(buffer_length(buffer), 0);
    cr_expect_eq(buffer_span(buffer).length, 0);
    cr_expect_not_null(buffer_span(buffer).data);
    cr_expect_eq(buffer_append(&buffer, "", 0, budget_of(scoreboard), BUDGET_MAY_REFUSE), 0);
    cr_expect_null(buffer);
    buffer_consume(&buffer, 0, budget_of(scoreboard));
    buffer_free(&buffer, budget_of(scoreboard));
    cr_expect_eq(held(scoreboard), 0);
    scoreboard_free(scoreboard);
}

/* Bytes go in and out at both ends, in amounts that make it grow, move and empty itself. */
Test(buffer, first_in_first_out)
{
    struct scoreboard *scoreboard = scoreboard_new(1, AMPLE);
    struct budget budget = budget_of(scoreboard);
    struct buffer *buffer = NULL;
    size_t in = 0;  /* bytes appended so far: byte i is i modulo 251 */
    size_t out = 0; /* bytes consumed so far */
    unsigned random = 12345;
    for (int i = 0; i < 5000; i++) {
        unsigned char piece[3000];
        random = random * 1103515245 + 12345;
        size_t length = random / 65536 % (i % 50 == 0 ? sizeof piece : 40);
        for (size_t j = 0; j < length; j++) {
            piece[j] = (unsigned char)((in + j) % 251);
        }
        cr_assert_eq(buffer_append(&buffer, piece, length, budget, BUDGET_MAY_REFUSE), 0);
        in += length;
        random = random * 1103515245 + 12345;
        size_t step = random / 65536 % (i % 37 == 0 ? 4000 : 60);
        step = step < in - out ? step : in - out;
        buffer_consume(&buffer, step, budget);
        out += step;
        struct span span = buffer_span(buffer);
        cr_assert_eq(span.length, in - out);
        for (size_t j = 0; j < span.length; j++) {
            cr_assert_eq((unsigned char)span.data[j], (out + j) % 251, "byte %zu in turn %d", j, i);
        }
        cr_assert_eq(held(scoreboard), buffer == NULL ? 0 : buffer->capacity);
        cr_assert((buffer == NULL) == (in == out), "an emptied buffer is freed");
    }
    buffer_free(&buffer, budget);
    cr_expect_null(buffer);
    cr_expect_eq(held(scoreboard), 0);
    scoreboard_free(scoreboard);
}

/* Bytes that come and go at the same pace need no more room than those that stay. */
Test(buffer, a_steady_flow_does_not_grow_it)
{
    struct scoreboard *scoreboard = scoreboard_new(1, AMPLE);
    struct budget budget = budget_of(scoreboard);
    struct buffer *buffer = NULL;
    char piece[100] = {0};
    cr_assert_eq(buffer_append(&buffer, piece, 100, budget, BUDGET_MAY_REFUSE), 0);
    for (int i = 0; i < 10000; i++) {
        cr_assert_eq(buffer_append(&buffer, piece, 100, budget, BUDGET_MAY_REFUSE), 0);
        buffer_consume(&buffer, 100, budget);
    }
    cr_expect_leq(buffer->capacity, 4096);
    buffer_free(&buffer, budget);
    scoreboard_free(scoreboard);
}

Test(buffer, reserve)
{
    struct scoreboard *scoreboard = scoreboard_new(1, AMPLE);
    struct budget budget = budget_of(scoreboard);
    struct buffer *buffer = NULL;
    for (size_t room = 1; room < 20000; room = room * 3 / 2 + 1) {
        cr_assert_eq(buffer_reserve(&buffer, room, budget, BUDGET_MAY_REFUSE), 0);
        cr_expect_geq(buffer->capacity - buffer->end, room);
        cr_expect_eq(buffer_length(buffer), 0);
        memset(buffer->data + buffer->end, 'x', room); /* the sanitizer sees whether it is there */
    }
    const char *data = buffer->data;
    cr_assert_eq(buffer_reserve(&buffer, 1, budget, BUDGET_MAY_REFUSE), 0);
    cr_expect_eq(buffer->data, data, "nothing moves when there is room");
    buffer_free(&buffer, budget);
    scoreboard_free(scoreboard);
}

/* How much of a limit can be used: all of it, though growth doubles; and a sixteenth more of what must be kept. */
static const struct {
    uint64_t limit;
    size_t there;
    size_t more;
    enum budget_need need;
    int result;
} limits[] = {
    {0, 0, 1, BUDGET_MAY_REFUSE, -ENOBUFS},        {100, 0, 100, BUDGET_MAY_REFUSE, 0},
    {100, 0, 101, BUDGET_MAY_REFUSE, -ENOBUFS},    {1000, 600, 400, BUDGET_MAY_REFUSE, 0},
    {1000, 600, 401, BUDGET_MAY_REFUSE, -ENOBUFS}, {1600, 1600, 1, BUDGET_MAY_REFUSE, -ENOBUFS},
    {1600, 1600, 100, BUDGET_MUST_KEEP, 0},        {1600, 1600, 101, BUDGET_MUST_KEEP, -ENOBUFS},
};

Test(buffer, budget)
{
    static char bytes[4096];
    memset(bytes, 'b', sizeof bytes);
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        struct scoreboard *scoreboard = scoreboard_new(1, limits[i].limit);
        struct budget budget = budget_of(scoreboard);
        struct buffer *buffer = NULL;
        cr_assert_eq(buffer_append(&buffer, bytes, limits[i].there, budget, BUDGET_MAY_REFUSE), 0);
        uint64_t before = held(scoreboard);
        cr_expect_eq(buffer_append(&buffer, bytes, limits[i].more, budget, limits[i].need), limits[i].result,
                     "row %zu", i);
        size_t length = limits[i].there + (limits[i].result == 0 ? limits[i].more : 0);
        cr_expect(span_equal(buffer_span(buffer), (struct span){.data = bytes, .length = length}), "row %zu",
                  i);
        cr_expect(limits[i].result == 0 || held(scoreboard) == before, "row %zu: a refusal changes nothing",
                  i);
        buffer_free(&buffer, budget);
        cr_expect_eq(held(scoreboard), 0, "row %zu", i);
        scoreboard_free(scoreboard);
    }
}
