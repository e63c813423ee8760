/* SPDX-License-Identifier: MIT */
/* A span: a pointer and a length. It owns nothing and is valid as long as the bytes that it points to; the parser's
 * tokens, for example, are spans of the read buffer. Any thread. */
#ifndef ECHOD_COMMON_BASE_SPAN_H
#define ECHOD_COMMON_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

struct span {
    const char *data;
    size_t length;
};

/* The span of a string literal, without its NUL. */
#define SPAN_LITERAL(text) ((struct span){.data = (text), .length = sizeof(text) - 1})

/* Returns the span of the bytes [begin, end). */
static inline struct span span_between(const char *begin, const char *end)
{
    return (struct span){.data = begin, .length = (size_t)(end - begin)};
}

static inline bool span_equal(struct span a, struct span b)
{
    return a.length == b.length && memcmp(a.data, b.data, a.length) == 0;
}

/* Copies the text to `to`, which must have room and must not overlap it. Returns the end of the copy. Lengths of 8
 * to 32 bytes, as names, types and short bodies have, take two overlapping moves instead of a call. */
static inline char *span_copy(char *to, struct span text)
{
    const char *from = text.data;
    size_t n = text.length;
    if (n - 8 <= 8) {
        memcpy(to, from, 8);
        memcpy(to + n - 8, from + n - 8, 8);
    } else if (n - 16 <= 16) {
        memcpy(to, from, 16);
        memcpy(to + n - 16, from + n - 16, 16);
    } else {
        memcpy(to, from, n);
    }
    return to + n;
}

/* Copies a string literal to `at`, without its NUL. Its value is the end of the copy. The length is known, so the
 * compiler uses moves. */
#define PUT_LITERAL(at, literal) (memcpy((at), (literal), sizeof(literal) - 1), (at) + sizeof(literal) - 1)

/* memcmp(a, b, n) == 0. Lengths of 8 to 16 bytes, as paths and names have, take two overlapping comparisons instead
 * of a call. */
static inline bool bytes_equal(const char *a, const char *b, size_t n)
{
    uint64_t x[2];
    uint64_t y[2];
    if (n - 8 > 8) {
        return memcmp(a, b, n) == 0;
    }
    memcpy(&x[0], a, 8);
    memcpy(&y[0], b, 8);
    memcpy(&x[1], a + n - 8, 8);
    memcpy(&y[1], b + n - 8, 8);
    return x[0] == y[0] && x[1] == y[1];
}

/* Whether the spans are equal if the case of ASCII letters is ignored, as for field names (RFC 9110, 5.1). Inline,
 * because most names are short and differ at once. */
static inline bool span_equal_nocase(struct span a, struct span b)
{
    if (a.length != b.length) {
        return false;
    }
    for (size_t i = 0; i < a.length; i++) {
        unsigned char x = (unsigned char)a.data[i];
        unsigned char difference = (unsigned char)(x ^ (unsigned char)b.data[i]);
        unsigned char letter = (unsigned char)((x | 0x20) - 'a');
        if (difference != 0 && (difference != 0x20 || letter > 'z' - 'a')) {
            return false;
        }
    }
    return true;
}

/* Returns the span without the spaces and tabs at both ends (OWS, RFC 9110, 5.6.3). */
static inline struct span span_trim(struct span s)
{
    while (s.length > 0 && (s.data[0] == ' ' || s.data[0] == '\t')) {
        s.data++;
        s.length--;
    }
    while (s.length > 0 && (s.data[s.length - 1] == ' ' || s.data[s.length - 1] == '\t')) {
        s.length--;
    }
    return s;
}

#endif
