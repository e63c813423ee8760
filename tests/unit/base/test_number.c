/* SPDX-License-Identifier: MIT */
/* What common/base/number.c reads and refuses, and what it writes. */
#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/number.h"

#define UNTOUCHED UINT64_C(0xdecade)
#define K         UINT64_C(1024)

typedef int parse_function(const char *, size_t, uint64_t, uint64_t *);

struct parse_case {
    const char *text;
    uint64_t max;
    int result;
    uint64_t value;
};

/* Each text is copied to a block of exactly its length, so that a byte read behind it is seen by the
 * sanitizer. */
static void run(parse_function *parse, const struct parse_case *c)
{
    size_t length = strlen(c->text);
    char *text = malloc(length > 0 ? length : 1);
    cr_assert_not_null(text);
    memcpy(text, c->text, length);
    uint64_t value = UNTOUCHED;
    int result = parse(text, length, c->max, &value);
    uint64_t expected = c->result == 0 ? c->value : UNTOUCHED;
    cr_expect(result == c->result && value == expected,
              "\"%s\": got %d and %" PRIu64 ", expected %d and %" PRIu64, c->text, result, value, c->result,
              expected);
    free(text);
}

#define RUN_ALL(parse, table)                                         \
    for (size_t i = 0; i < sizeof(table) / sizeof((table)[0]); i++) { \
        run((parse), &(table)[i]);                                    \
    }

Test(number, parse_u64)
{
    static const struct parse_case cases[] = {
        {"0", UINT64_MAX, 0, 0},
        {"7", 7, 0, 7},
        {"8", 7, -ERANGE, 0},
        {"0", 0, 0, 0},
        {"1", 0, -ERANGE, 0},
        {"007", UINT64_MAX, 0, 7},
        {"00000000000000000000000000000000001", 1, 0, 1},
        {"18446744073709551615", UINT64_MAX, 0, UINT64_MAX},
        {"18446744073709551614", UINT64_MAX - 1, 0, UINT64_MAX - 1},
        {"18446744073709551615", UINT64_MAX - 1, -ERANGE, 0},
        {"18446744073709551616", UINT64_MAX, -ERANGE, 0},
        {"18446744073709551620", UINT64_MAX, -ERANGE, 0},
        {"99999999999999999999", UINT64_MAX, -ERANGE, 0},
        {"100000000000000000000000000000000", UINT64_MAX, -ERANGE, 0},
        {"99999999999999999999x", UINT64_MAX, -EINVAL, 0},
        {"", UINT64_MAX, -EINVAL, 0},
        {"-1", UINT64_MAX, -EINVAL, 0},
        {"+1", UINT64_MAX, -EINVAL, 0},
        {" 1", UINT64_MAX, -EINVAL, 0},
        {"1 ", UINT64_MAX, -EINVAL, 0},
        {"1k", UINT64_MAX, -EINVAL, 0},
        {"0x10", UINT64_MAX, -EINVAL, 0},
        {"1_000", UINT64_MAX, -EINVAL, 0},
        {"1.0", UINT64_MAX, -EINVAL, 0},
        {"\xd9\xa3", UINT64_MAX, -EINVAL, 0}, /* an Arabic digit */
        {"1/", UINT64_MAX, -EINVAL, 0},       /* the neighbours of 0 and 9 in ASCII */
        {"1:", UINT64_MAX, -EINVAL, 0},
    };
    RUN_ALL(number_parse_u64, cases)
}

Test(number, parse_stops_at_length)
{
    uint64_t value = UNTOUCHED;
    cr_assert_eq(number_parse_u64("12345", 2, UINT64_MAX, &value), 0);
    cr_assert_eq(value, 12u);
    cr_assert_eq(number_parse_u64("1\0002", 3, UINT64_MAX, &value), -EINVAL);
    cr_assert_eq(number_parse_duration_ms("0.2/x", 3, UINT64_MAX, &value), 0);
    cr_assert_eq(value, 200u);
    cr_assert_eq(number_parse_size("16kB", 3, UINT64_MAX, &value), 0);
    cr_assert_eq(value, 16 * K);
}

Test(number, parse_size)
{
    static const struct parse_case cases[] = {
        {"0", 0, 0, 0},
        {"0g", 0, 0, 0},
        {"1", UINT64_MAX, 0, 1},
        {"1k", UINT64_MAX, 0, K},
        {"1K", UINT64_MAX, 0, K},
        {"64m", UINT64_MAX, 0, 64 * K * K},
        {"64M", UINT64_MAX, 0, 64 * K * K},
        {"8g", UINT64_MAX, 0, 8 * K * K * K},
        {"8G", UINT64_MAX, 0, 8 * K * K * K},
        {"16k", 16 * K, 0, 16 * K},
        {"17k", 16 * K, -ERANGE, 0},
        {"16385", 16 * K, -ERANGE, 0},
        {"17179869183g", UINT64_MAX, 0, UINT64_MAX - (K * K * K - 1)},
        {"17179869184g", UINT64_MAX, -ERANGE, 0},
        {"18446744073709551616k", UINT64_MAX, -ERANGE, 0},
        {"", UINT64_MAX, -EINVAL, 0},
        {"k", UINT64_MAX, -EINVAL, 0},
        {"1t", UINT64_MAX, -EINVAL, 0},
        {"1kb", UINT64_MAX, -EINVAL, 0},
        {"1kk", UINT64_MAX, -EINVAL, 0},
        {"1 k", UINT64_MAX, -EINVAL, 0},
        {"k1", UINT64_MAX, -EINVAL, 0},
        {"1.5m", UINT64_MAX, -EINVAL, 0},
        {"-1k", UINT64_MAX, -EINVAL, 0},
    };
    RUN_ALL(number_parse_size, cases)
}

Test(number, parse_duration)
{
    static const struct parse_case cases[] = {
        {"0", 0, 0, 0},
        {"0ms", 0, 0, 0},
        {"0.000000000m", 0, 0, 0},
        {"200ms", UINT64_MAX, 0, 200},
        {"2", UINT64_MAX, 0, 2000},
        {"2s", UINT64_MAX, 0, 2000},
        {"0.2", UINT64_MAX, 0, 200},
        {"0.20", UINT64_MAX, 0, 200},
        {"1.5s", UINT64_MAX, 0, 1500},
        {"1m", UINT64_MAX, 0, 60000},
        {"1.5m", UINT64_MAX, 0, 90000},
        {"0.25m", UINT64_MAX, 0, 15000},
        {"0.1ms", UINT64_MAX, 0, 1},
        {"1.000000001ms", UINT64_MAX, 0, 2},
        {"0.0001", UINT64_MAX, 0, 1},
        {"0.001", UINT64_MAX, 0, 1},
        {"0.0011", UINT64_MAX, 0, 2},
        {"0.123456789", UINT64_MAX, 0, 124},
        {"0.999999999m", UINT64_MAX, 0, 60000},
        {"10", 10000, 0, 10000},
        {"10.0", 10000, 0, 10000},
        {"9.9999", 10000, 0, 10000},
        {"10.0001", 10000, -ERANGE, 0},
        {"10.000000001", 10000, -ERANGE, 0},
        {"11", 10000, -ERANGE, 0},
        {"10001ms", 10000, -ERANGE, 0},
        {"18446744073709551615ms", UINT64_MAX, 0, UINT64_MAX},
        {"18446744073709551615.1ms", UINT64_MAX, -ERANGE, 0},
        {"18446744073709551616ms", UINT64_MAX, -ERANGE, 0},
        {"18446744073709551s", UINT64_MAX, 0, UINT64_C(18446744073709551000)},
        {"18446744073709552s", UINT64_MAX, -ERANGE, 0},
        {"18446744073709551615m", UINT64_MAX, -ERANGE, 0},
        {"", UINT64_MAX, -EINVAL, 0},
        {".", UINT64_MAX, -EINVAL, 0},
        {".5", UINT64_MAX, -EINVAL, 0},
        {"5.", UINT64_MAX, -EINVAL, 0},
        {"5.s", UINT64_MAX, -EINVAL, 0},
        {"0.1234567890", UINT64_MAX, -EINVAL, 0},
        {"1.2.3", UINT64_MAX, -EINVAL, 0},
        {"1,5", UINT64_MAX, -EINVAL, 0},
        {"s", UINT64_MAX, -EINVAL, 0},
        {"ms", UINT64_MAX, -EINVAL, 0},
        {"1h", UINT64_MAX, -EINVAL, 0},
        {"1sm", UINT64_MAX, -EINVAL, 0},
        {"1us", UINT64_MAX, -EINVAL, 0},
        {"1 s", UINT64_MAX, -EINVAL, 0},
        {"1S", UINT64_MAX, -EINVAL, 0},
        {"1e3", UINT64_MAX, -EINVAL, 0},
        {"-1s", UINT64_MAX, -EINVAL, 0},
        {"inf", UINT64_MAX, -EINVAL, 0},
        {"nan", UINT64_MAX, -EINVAL, 0},
    };
    RUN_ALL(number_parse_duration_ms, cases)
}

typedef size_t format_function(char *, uint64_t);

/* The expected text comes from printf; the block has exactly that length. */
static void expect_format(format_function *format, const char *printf_format, uint64_t value)
{
    char expected[32];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    size_t length = (size_t)snprintf(expected, sizeof(expected), printf_format, value);
#pragma GCC diagnostic pop
    char *out = malloc(length);
    cr_assert_not_null(out);
    size_t written = format(out, value);
    cr_assert_eq(written, length, "%s: %zu digits written", expected, written);
    cr_expect_arr_eq(out, expected, length);
    free(out);
}

static void expect_formats(uint64_t value)
{
    expect_format(number_format_u64, "%" PRIu64, value);
    expect_format(number_format_hex, "%" PRIx64, value);
}

/* The first thousand, and the neighbours of every power of two and of ten, where the number of digits
 * changes. */
Test(number, format)
{
    for (uint64_t value = 0; value < 1000; value++) {
        expect_formats(value);
    }
    for (int bit = 0; bit < 64; bit++) {
        uint64_t power = UINT64_C(1) << bit;
        expect_formats(power - 1);
        expect_formats(power);
        expect_formats(power + 1);
    }
    uint64_t power = 1;
    for (int digit = 0; digit < 20; digit++, power *= 10) {
        expect_formats(power - 1);
        expect_formats(power);
        expect_formats(power + 1);
    }
    expect_formats(UINT64_MAX);
}

Test(number, format_fits_the_sizes_promised)
{
    char out[32];
    cr_assert_eq(number_format_u64(out, UINT64_MAX), (size_t)NUMBER_U64_SIZE);
    cr_assert_eq(number_format_hex(out, UINT64_MAX), (size_t)NUMBER_HEX_SIZE);
}

Test(number, format_duration)
{
    static const struct {
        uint64_t ms;
        const char *text;
    } cases[] = {
        {0, "0 s"},        {1, "1 ms"},     {999, "999 ms"},     {1000, "1 s"},
        {1500, "1500 ms"}, {10000, "10 s"}, {3600000, "3600 s"}, {UINT64_MAX, "18446744073709551615 ms"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[NUMBER_DURATION_SIZE];
        number_format_duration(text, cases[i].ms);
        cr_expect_str_eq(text, cases[i].text, "%s", text);
    }
}
