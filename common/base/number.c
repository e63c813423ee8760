/* SPDX-License-Identifier: MIT */
/* Numbers as text: strict parsing of integers, sizes and durations, fast formatting of integers. */
#include "common/base/number.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define FRACTION_DIGITS_MAX 9

static size_t count_digits(const char *text, size_t length)
{
    size_t count = 0;
    while (count < length && number_is_digit(text[count])) {
        count++;
    }
    return count;
}

/* Sets `*value` to the number times `unit`. False if that exceeds max. */
static bool digits_value(const char *digits, size_t count, uint64_t unit, uint64_t max, uint64_t *value)
{
    uint64_t number = 0;
    for (size_t i = 0; i < count; i++) {
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(digits[i] - '0'), &number)) {
            return false;
        }
    }
    return !__builtin_mul_overflow(number, unit, value) && *value <= max;
}

static int parse_units(const char *text, size_t digits, uint64_t unit, uint64_t max, uint64_t *value)
{
    uint64_t parsed;
    if (digits == 0) {
        return -EINVAL;
    }
    if (!digits_value(text, digits, unit, max, &parsed)) {
        return -ERANGE;
    }
    *value = parsed;
    return 0;
}

int number_parse_u64(const char *text, size_t length, uint64_t max, uint64_t *value)
{
    if (count_digits(text, length) != length) {
        return -EINVAL;
    }
    return parse_units(text, length, 1, max, value);
}

/* Returns the number of bytes that the suffix stands for; 0 if there is no such suffix. */
static uint64_t size_unit(const char *suffix, size_t length)
{
    if (length == 0) {
        return 1;
    }
    if (length > 1) {
        return 0;
    }
    switch (suffix[0]) {
    case 'k':
    case 'K': return UINT64_C(1) << 10;
    case 'm':
    case 'M': return UINT64_C(1) << 20;
    case 'g':
    case 'G': return UINT64_C(1) << 30;
    default: return 0;
    }
}

int number_parse_size(const char *text, size_t length, uint64_t max, uint64_t *value)
{
    size_t digits = count_digits(text, length);
    uint64_t unit = size_unit(text + digits, length - digits);
    if (unit == 0) {
        return -EINVAL;
    }
    return parse_units(text, digits, unit, max, value);
}

/* Returns the number of milliseconds that the suffix stands for; 0 if there is no such suffix. */
static uint64_t duration_unit(const char *suffix, size_t length)
{
    if (length == 0 || (length == 1 && suffix[0] == 's')) {
        return 1000;
    }
    if (length == 1 && suffix[0] == 'm') {
        return 60000;
    }
    if (length == 2 && memcmp(suffix, "ms", 2) == 0) {
        return 1;
    }
    return 0;
}

/* Returns the fraction with these digits after the point, times `unit`, rounded up to an integer. */
static uint64_t fraction_value(const char *digits, size_t count, uint64_t unit)
{
    uint64_t numerator = 0;
    uint64_t denominator = 1;
    for (size_t i = 0; i < count; i++) {
        numerator = numerator * 10 + (uint64_t)(digits[i] - '0');
        denominator *= 10;
    }
    return (numerator * unit + denominator - 1) / denominator;
}

int number_parse_duration_ms(const char *text, size_t length, uint64_t max, uint64_t *value)
{
    size_t whole = count_digits(text, length);
    size_t end = whole;
    size_t fraction = 0;
    if (end < length && text[end] == '.') {
        fraction = count_digits(text + end + 1, length - end - 1);
        if (fraction == 0 || fraction > FRACTION_DIGITS_MAX) {
            return -EINVAL;
        }
        end += 1 + fraction;
    }
    uint64_t unit = duration_unit(text + end, length - end);
    if (unit == 0) {
        return -EINVAL;
    }
    uint64_t total;
    int error = parse_units(text, whole, unit, max, &total);
    if (error != 0) {
        return error;
    }
    uint64_t part = fraction_value(text + end - fraction, fraction, unit);
    if (part > max - total) {
        return -ERANGE;
    }
    *value = total + part;
    return 0;
}

/* "00" to "99", so that a division yields two digits. */
static const char PAIRS[200] = "00010203040506070809"
                               "10111213141516171819"
                               "20212223242526272829"
                               "30313233343536373839"
                               "40414243444546474849"
                               "50515253545556575859"
                               "60616263646566676869"
                               "70717273747576777879"
                               "80818283848586878889"
                               "90919293949596979899";

static size_t decimal_length(uint64_t value)
{
    size_t digits = 1;
    for (; value >= 10000; value /= 10000) {
        digits += 4;
    }
    return digits + (value >= 10) + (value >= 100) + (value >= 1000);
}

size_t number_format_u64(char *out, uint64_t value)
{
    if (value < 100 && value >= 10) {
        memcpy(out, &PAIRS[value * 2], 2);
        return 2;
    }
    size_t length = decimal_length(value);
    char *at = out + length;
    for (; value >= 100; value /= 100) {
        at -= 2;
        memcpy(at, &PAIRS[value % 100 * 2], 2);
    }
    if (value >= 10) {
        memcpy(out, &PAIRS[value * 2], 2);
    } else {
        *out = (char)('0' + value);
    }
    return length;
}

size_t number_format_hex(char *out, uint64_t value)
{
    size_t length = value == 0 ? 1 : (size_t)(67 - __builtin_clzll(value)) / 4;
    for (size_t i = length; i-- > 0; value >>= 4) {
        out[i] = number_hex_digit(value & 15);
    }
    return length;
}

void number_format_duration(char out[NUMBER_DURATION_SIZE], uint64_t ms)
{
    bool seconds = ms % 1000 == 0;
    snprintf(out, NUMBER_DURATION_SIZE, "%llu %s", (unsigned long long)(seconds ? ms / 1000 : ms),
             seconds ? "s" : "ms");
}
