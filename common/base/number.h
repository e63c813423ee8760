/* SPDX-License-Identifier: MIT */
/* Numbers as text: strict parsing of integers, sizes and durations, fast formatting of integers. Any thread. */
#ifndef ECHOD_COMMON_BASE_NUMBER_H
#define ECHOD_COMMON_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Parsing. A text is a pointer and a length and need not end in NUL: it may be part of a path, a header field or an
 * environment variable. The number must be the whole text, without a sign, blanks or underscores. Each function returns
 *
 *   0        and sets *value;
 *   -EINVAL  the text has another form; *value is unchanged;
 *   -ERANGE  the form is right, but the number exceeds max or 64 bits; *value is unchanged.
 *
 * The form is checked first: "99999999999999999999x" is -EINVAL. The caller checks any lower bound. */

/* One or more ASCII digits; leading zeros are allowed. */
int number_parse_u64(const char *text, size_t length, uint64_t max, uint64_t *value);

/* Bytes: digits, then at most one of k, m, g (or K, M, G) for 1024, 1024^2, 1024^3. */
int number_parse_size(const char *text, size_t length, uint64_t max, uint64_t *value);

/* Milliseconds: digits, then optionally a point and 1 to 9 digits, then optionally a unit: ms, s or m (minutes).
 * Without a unit the number is in seconds. "200ms", "0.2", "1.5s" and "1m" are durations; ".5", "5." and "1h" are
 * not. Fractions of a millisecond are rounded up, so that a duration never becomes shorter and only zero becomes
 * zero. */
int number_parse_duration_ms(const char *text, size_t length, uint64_t max, uint64_t *value);

/* Formatting. The functions write the digits to out, without a NUL, and return their number: at least 1, at most the
 * size given here, for which `out` must have room. */
#define NUMBER_U64_SIZE 20
#define NUMBER_HEX_SIZE 16

/* Decimal. */
size_t number_format_u64(char *out, uint64_t value);

/* Hexadecimal in lower case, without a prefix or leading zeros, as in a chunk-size line (RFC 9112, 7.1). */
size_t number_format_hex(char *out, uint64_t value);

/* Milliseconds as a text for people, with a NUL: "10 s", "1500 ms". */
#define NUMBER_DURATION_SIZE (NUMBER_U64_SIZE + sizeof(" ms"))
void number_format_duration(char out[NUMBER_DURATION_SIZE], uint64_t ms);

/* Single digits. */

static inline bool number_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Returns the hexadecimal digit, in lower case, of a value below 16. */
static inline char number_hex_digit(unsigned value)
{
    return "0123456789abcdef"[value];
}

/* Returns the value of a hexadecimal digit in either case, or -1 for any other character. */
static inline int number_hex_value(char c)
{
    char letter = (char)(c | 0x20);
    return number_is_digit(c) ? c - '0' : letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

#endif
