/* SPDX-License-Identifier: MIT */
/* Who waits for a place, and which lingering connections are asked for theirs. */
#include <criterion/criterion.h>

#include "server/acceptor/place_queue.h"

enum { COUNTERS = 40, FIRST = 2 };

static struct scoreboard *scoreboard;

static void make(void)
{
    scoreboard = scoreboard_new(COUNTERS, 0);
    cr_assert_not_null(scoreboard);
    atomic_store(&scoreboard->counters_claimed, COUNTERS);
}

static void linger(size_t index, uint64_t since_ms)
{
    atomic_store(&scoreboard->counters[index].lingering_since_ms, since_ms);
}

static bool asked(size_t index)
{
    return atomic_load(&scoreboard->counters[index].place_wanted);
}

static unsigned asked_in_all(void)
{
    unsigned count = 0;
    for (size_t i = 0; i < COUNTERS; i++) {
        count += asked(i);
    }
    return count;
}

Test(place_queue, first_come_first_served)
{
    struct place_queue queue = {.count = 0};
    for (int i = 0; i < PLACE_QUEUE_SIZE; i++) {
        place_queue_put(&queue, &(struct accepted){.fd = 100 + i}, 1000 + (uint64_t)i);
    }
    for (int i = 0; i < PLACE_QUEUE_SIZE; i++) {
        cr_expect_eq(queue.count, (unsigned)(PLACE_QUEUE_SIZE - i));
        cr_expect_eq(queue.items[0].fd, 100 + i);
        cr_expect_eq(queue.since_ms[0], 1000 + (uint64_t)i);
        place_queue_drop(&queue);
    }
    cr_expect_eq(queue.count, 0);
}

Test(place_queue, put_behind_those_that_are_left)
{
    struct place_queue queue = {.count = 0};
    for (int i = 0; i < 3; i++) {
        place_queue_put(&queue, &(struct accepted){.fd = i}, 1);
    }
    place_queue_drop(&queue);
    place_queue_put(&queue, &(struct accepted){.fd = 3}, 2);
    for (int i = 1; i <= 3; i++) {
        cr_expect_eq(queue.items[0].fd, i);
        place_queue_drop(&queue);
    }
}

Test(place_ask, those_that_have_lingered_longest, .init = make)
{
    static const uint64_t since[] = {50, 20, 90, 10, 70, 30}; /* of the counters 5, 10, 15, … */
    for (size_t i = 0; i < sizeof since / sizeof since[0]; i++) {
        linger(5 * (i + 1), since[i]);
    }
    place_ask(scoreboard, FIRST, 1);
    cr_expect(asked(20) && asked_in_all() == 1);
    place_ask(scoreboard, FIRST, 3);
    cr_expect(asked(20) && asked(10) && asked(30) && asked_in_all() == 3, "%u are asked", asked_in_all());
    place_ask(scoreboard, FIRST, PLACE_QUEUE_SIZE);
    cr_expect_eq(asked_in_all(), 6, "each that lingers");
}

Test(place_ask, as_many_as_there_are_places_in_the_queue, .init = make)
{
    for (size_t i = FIRST; i < COUNTERS; i++) {
        linger(i, 1000 - i); /* the last has lingered longest */
    }
    place_ask(scoreboard, FIRST, PLACE_QUEUE_SIZE);
    cr_expect_eq(asked_in_all(), PLACE_QUEUE_SIZE);
    for (size_t i = COUNTERS - PLACE_QUEUE_SIZE; i < COUNTERS; i++) {
        cr_expect(asked(i), "slot %zu is not", i);
    }
}

Test(place_ask, of_one_age_the_number_that_is_wanted, .init = make)
{
    for (size_t i = FIRST; i < COUNTERS; i++) {
        linger(i, 7);
    }
    place_ask(scoreboard, FIRST, 2);
    cr_expect_eq(asked_in_all(), 2);
}

Test(place_ask, nobody_else, .init = make)
{
    linger(FIRST - 1, 5); /* counters that are not a mode's */
    linger(FIRST + 9, 6);
    place_ask(scoreboard, FIRST, 0);
    cr_expect_eq(asked_in_all(), 0);
    place_ask(scoreboard, FIRST, 4);
    cr_expect(asked(FIRST + 9) && asked_in_all() == 1);
}

Test(place_ask, no_slot_that_is_not_lent, .init = make)
{
    atomic_store(&scoreboard->counters_claimed, 10);
    linger(12, 5);
    place_ask(scoreboard, FIRST, 1);
    cr_expect_eq(asked_in_all(), 0);
}
