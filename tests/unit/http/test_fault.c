/* SPDX-License-Identifier: MIT */
/* Lists of faults with shares, and draws. */
#include "common/http/fault.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

enum { DELAY_MAX_MS = 10000, SEED = 1 };

static const struct {
    enum fault_kind kind;
    const char *list;
    uint32_t draw;
    uint64_t value;
    enum abort abort;
    uint8_t bit;
} good[] = {
    {FAULT_STATUS, "503", 0, 503, ABORT_NOT, 1},
    {FAULT_STATUS, "503", 9999, 503, ABORT_NOT, 1},
    {FAULT_STATUS, "200", 0, 200, ABORT_NOT, 0},
    {FAULT_STATUS, "201", 0, 201, ABORT_NOT, 1},
    {FAULT_STATUS, "400", 0, 400, ABORT_NOT, 1},
    {FAULT_STATUS, "503:20", 1999, 503, ABORT_NOT, 1},
    {FAULT_STATUS, "503:20", 2000, 0, ABORT_NOT, 0},
    {FAULT_STATUS, "503:20,500:5", 1999, 503, ABORT_NOT, 1},
    {FAULT_STATUS, "503:20,500:5", 2000, 500, ABORT_NOT, 1},
    {FAULT_STATUS, "503:20,500:5", 2499, 500, ABORT_NOT, 1},
    {FAULT_STATUS, "503:20,500:5", 2500, 0, ABORT_NOT, 0},
    {FAULT_STATUS, "503:0", 0, 0, ABORT_NOT, 0},
    {FAULT_STATUS, "503:100", 9999, 503, ABORT_NOT, 1},
    {FAULT_STATUS, "503:0.01", 0, 503, ABORT_NOT, 1},
    {FAULT_STATUS, "503:0.01", 1, 0, ABORT_NOT, 0},
    {FAULT_STATUS, "503:0.5", 49, 503, ABORT_NOT, 1},
    {FAULT_STATUS, "503:0.5", 50, 0, ABORT_NOT, 0},
    {FAULT_STATUS, "503:33.33,500:66.67", 9999, 500, ABORT_NOT, 1},
    {FAULT_DELAY, "200ms:10", 999, 200, ABORT_NOT, 2},
    {FAULT_DELAY, "0.5", 0, 500, ABORT_NOT, 2},
    {FAULT_DELAY, "0", 0, 0, ABORT_NOT, 0},
    {FAULT_DELAY, "10s", 0, 10000, ABORT_NOT, 2},
    {FAULT_CLOSE, "true:5", 499, 1, ABORT_NOT, 4},
    {FAULT_CLOSE, "true:5", 500, 0, ABORT_NOT, 0},
    {FAULT_CLOSE, "false", 0, 0, ABORT_NOT, 0},
    {FAULT_ABORT, "before", 0, 0, ABORT_BEFORE, 8},
    {FAULT_ABORT, "reset:1", 99, 0, ABORT_RESET, 16},
    {FAULT_ABORT, "reset:1", 100, 0, ABORT_NOT, 0},
    {FAULT_ABORT, "body:100", 9999, 100, ABORT_BODY, 32},
    {FAULT_ABORT, "body:100:5", 499, 100, ABORT_BODY, 32},
    {FAULT_ABORT, "body:100:5", 500, 0, ABORT_NOT, 0},
    {FAULT_ABORT, "body:0:5,stall:1,garbage:1", 550, 0, ABORT_STALL, 64},
    {FAULT_ABORT, "body:0:5,stall:1,garbage:1", 650, 0, ABORT_GARBAGE, 128},
    {FAULT_ABORT, "body:18446744073709551615", 0, UINT64_MAX, ABORT_BODY, 32},
};

static struct span span_of(const char *text)
{
    return (struct span){.data = text, .length = strlen(text)};
}

Test(fault, good)
{
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct fault fault = {.value = 1};
        cr_expect_eq(fault_read(good[i].kind, span_of(good[i].list), DELAY_MAX_MS, good[i].draw, &fault), 0,
                     "%s", good[i].list);
        cr_expect_eq(fault.value, good[i].value, "%s, %u: %llu", good[i].list, good[i].draw,
                     (unsigned long long)fault.value);
        cr_expect_eq(fault.abort, good[i].abort, "%s, %u", good[i].list, good[i].draw);
        uint8_t bit = fault_bit(good[i].kind, &fault);
        cr_expect_eq(bit, good[i].bit, "%s, %u: bit %d", good[i].list, good[i].draw, bit);
        cr_expect_eq(bit & ~fault_bits(good[i].kind), 0);
    }
}

static const struct {
    enum fault_kind kind;
    const char *list;
} bad[] = {
    {FAULT_STATUS, ""},
    {FAULT_STATUS, "199"},
    {FAULT_STATUS, "600"},
    {FAULT_STATUS, "503:"},
    {FAULT_STATUS, "503:101"},
    {FAULT_STATUS, "503:100.01"},
    {FAULT_STATUS, "503:1.234"},
    {FAULT_STATUS, "503:1."},
    {FAULT_STATUS, "503:.5"},
    {FAULT_STATUS, "503:-1"},
    {FAULT_STATUS, "503:1%"},
    {FAULT_STATUS, "503:50,500:50.01"},
    {FAULT_STATUS, "503,"},
    {FAULT_STATUS, ",503"},
    {FAULT_STATUS, "503:1,,500:1"},
    {FAULT_STATUS, "503:1:1"},
    {FAULT_STATUS, "503, 500:0"},
    {FAULT_STATUS, "503,500"},
    {FAULT_DELAY, ""},
    {FAULT_DELAY, "10.001"},
    {FAULT_DELAY, "1h"},
    {FAULT_DELAY, "1s:x"},
    {FAULT_CLOSE, "yes"},
    {FAULT_CLOSE, ""},
    {FAULT_CLOSE, "true:"},
    {FAULT_ABORT, ""},
    {FAULT_ABORT, "body"},
    {FAULT_ABORT, "body:"},
    {FAULT_ABORT, "body:x"},
    {FAULT_ABORT, "body:1:"},
    {FAULT_ABORT, "body:1:2:3"},
    {FAULT_ABORT, "status"},
    {FAULT_ABORT, "Reset"},
    {FAULT_ABORT, "reset:1:2"},
};

Test(fault, bad)
{
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct fault fault;
        cr_expect_neq(fault_read(bad[i].kind, span_of(bad[i].list), DELAY_MAX_MS, 0, &fault), 0, "%s",
                      bad[i].list);
    }
}

/* Whether a number of hits is within four standard deviations of the expected one. */
static bool is_near(unsigned hits, unsigned count, double p)
{
    double off = hits - count * p;
    return off * off <= 16 * count * p * (1 - p);
}

/* The draws of many requests are spread evenly: over connections, over requests on one, and for each kind. */
static void expect_even(const char *what, uint32_t (*draw)(uint32_t n, enum fault_kind kind))
{
    enum { COUNT = 100000 };
    static const uint32_t shares[] = {1, 100, 500, 2000, 5000, 9999};
    for (int kind = 0; kind < FAULT_KINDS; kind++) {
        for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++) {
            unsigned below = 0;
            for (uint32_t n = 1; n <= COUNT; n++) {
                uint32_t drawn = draw(n, (enum fault_kind)kind);
                cr_assert_lt(drawn, FAULT_WHOLE);
                below += drawn < shares[i];
            }
            double p = (double)shares[i] / FAULT_WHOLE;
            cr_expect(is_near(below, COUNT, p), "%s, kind %d, share %u: %u", what, kind, shares[i], below);
        }
    }
}

static uint32_t by_connection(uint32_t n, enum fault_kind kind)
{
    return fault_draw(SEED, n, 1, kind);
}

static uint32_t by_request(uint32_t n, enum fault_kind kind)
{
    return fault_draw(SEED, 1, n, kind);
}

static uint32_t by_seed(uint32_t n, enum fault_kind kind)
{
    return fault_draw(n, 1, 1, kind);
}

Test(fault, draws_are_even)
{
    expect_even("by connection", by_connection);
    expect_even("by request", by_request);
    expect_even("by seed", by_seed);
}

/* Neighbours share no draw more often than chance has it. */
Test(fault, draws_are_independent)
{
    unsigned same[4] = {0};
    enum { COUNT = 100000 };
    for (uint32_t n = 1; n <= COUNT; n++) {
        bool hit = fault_draw(SEED, n, 1, FAULT_STATUS) < 5000;
        same[0] += hit == (fault_draw(SEED, n, 1, FAULT_DELAY) < 5000);
        same[1] += hit == (fault_draw(SEED, n, 2, FAULT_STATUS) < 5000);
        same[2] += hit == (fault_draw(SEED, n + 1, 1, FAULT_STATUS) < 5000);
        same[3] += hit == (fault_draw(SEED + 1, n, 1, FAULT_STATUS) < 5000);
    }
    for (size_t i = 0; i < 4; i++) {
        cr_expect(is_near(same[i], COUNT, 0.5), "%zu: %u", i, same[i]);
    }
}

Test(fault, allowed)
{
    static const char *const wanted[FAULT_KINDS] = {
        "a number from 200 to 599, or a list with shares as in 503:20,500:5",
        "a time of at most 1500 ms, or a list with shares as in 200ms:10",
        "true or false, or a list with shares as in true:5",
        "before, reset, body:N, stall or garbage, or a list with shares as in body:9:5,reset:1",
    };
    for (int kind = 0; kind < FAULT_KINDS; kind++) {
        char text[FAULT_ALLOWED_SIZE];
        fault_allowed((enum fault_kind)kind, 1500, text, sizeof text);
        cr_expect_str_eq(text, wanted[kind], "%s", text);
    }
}
