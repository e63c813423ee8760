/* SPDX-License-Identifier: MIT */
/* Numbers as text: whole numbers, sizes and durations read strictly, whole numbers written fast. */
#ifndef ECHOD_COMMON_BASE_NUMBER_H
#define ECHOD_COMMON_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reading. A text is a pointer and a length and need not end in NUL: it may stand in the middle of a path, a
 * header field or an environment variable. Nothing around the number is skipped: no sign, no space, no
 * underscore, no empty text. Each function returns
 *
 *   0        and sets *value;
 *   -EINVAL  the text is not of the form; *value is untouched;
 *   -ERANGE  it is of the form but above max (or above what 64 bits hold); *value is untouched.
 *
 * Form is judged before size: "99999999999999999999x" is -EINVAL. A lower bound is the caller's to check.
 */

/* One or more ASCII digits; leading zeros are allowed. */
int number_parse_u64(const char *text, size_t length, uint64_t max, uint64_t *value);

/* Bytes: digits, then at most one of k, m, g (or K, M, G) for 1024, 1024^2, 1024^3. */
int number_parse_size(const char *text, size_t length, uint64_t max, uint64_t *value);

/*
 * Milliseconds: digits, then perhaps a point and 1 to 9 digits, then perhaps a unit: ms, s or m (minutes);
 * without a unit it is seconds. "200ms", "0.2", "1.5s" and "1m" are durations; ".5", "5." and "1h" are not.
 * What is finer than a millisecond is rounded up, so that a time asked for is never cut short and only zero
 * becomes zero.
 */
int number_parse_duration_ms(const char *text, size_t length, uint64_t max, uint64_t *value);

/*
 * Writing. The digits go to out, without a NUL, and their count is returned: at least 1, at most the size
 * given here, which out must have room for.
 */
#define NUMBER_U64_SIZE 20
#define NUMBER_HEX_SIZE 16

/* Decimal. */
size_t number_format_u64(char *out, uint64_t value);

/* Hexadecimal in lower case, without a prefix or leading zeros, as a chunk's size is written (RFC 9112, 7.1).
 */
size_t number_format_hex(char *out, uint64_t value);

/* One digit. Any thread. */

static inline bool number_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The digit of a value below 16, in lower case. */
static inline char number_hex_digit(unsigned value)
{
    return "0123456789abcdef"[value];
}

/* The value of a hexadecimal digit in either case, or -1. */
static inline int number_hex_value(char c)
{
    char letter = (char)(c | 0x20);
    return number_is_digit(c) ? c - '0' : letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

#endif
