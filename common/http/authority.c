/* SPDX-License-Identifier: MIT */
/* The grammar of host and port (RFC 3986, 3.2). */
#include "common/http/authority.h"

#include <arpa/inet.h>
#include <ctype.h>
#include "common/base/block.h"
#include "common/base/compiler.h"

enum { NAME = 1, DIGIT = 2 }; /* unreserved / sub-delims (RFC 3986, 2.2 and 2.3); the digits among them */

static const unsigned char char_class[256] = {
    ['a' ... 'z'] = NAME, ['A' ... 'Z'] = NAME, ['0' ... '9'] = NAME | DIGIT,
    ['-'] = NAME,         ['.'] = NAME,         ['_'] = NAME,
    ['~'] = NAME,         ['!'] = NAME,         ['$'] = NAME,
    ['&'] = NAME,         ['\''] = NAME,        ['('] = NAME,
    [')'] = NAME,         ['*'] = NAME,         ['+'] = NAME,
    [','] = NAME,         [';'] = NAME,         ['='] = NAME,
};

/* Returns the first byte that is not of the class. */
static const char *skip(const char *p, const char *end, unsigned class)
{
    while (p < end && (char_class[(unsigned char)*p] & class) != 0) {
        p++;
    }
    return p;
}

static bool port_valid(const char *p, const char *end)
{
    return skip(p, end, DIGIT) == end;
}

/* "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" ) */
static bool future_address_valid(const char *p, const char *end)
{
    const char *digits = ++p;
    while (p < end && isxdigit((unsigned char)*p)) {
        p++;
    }
    if (p == digits || p == end || *p != '.') {
        return false;
    }
    const char *rest = ++p;
    while (p < end && ((char_class[(unsigned char)*p] & NAME) != 0 || *p == ':')) {
        p++;
    }
    return p == end && p > rest;
}

static bool literal_valid(const char *begin, const char *end)
{
    if (begin < end && (*begin == 'v' || *begin == 'V')) {
        return future_address_valid(begin, end);
    }
    char text[INET6_ADDRSTRLEN];
    size_t length = (size_t)(end - begin);
    struct in6_addr address;
    if (length >= sizeof text) {
        return false;
    }
    memcpy(text, begin, length);
    text[length] = '\0';
    return strlen(text) == length && inet_pton(AF_INET6, text, &address) == 1;
}

bool authority_valid(struct span text)
{
    const char *p = text.data;
    const char *end = text.data + text.length;
    if (p < end && *p == '[') {
        const char *close = memchr(p, ']', text.length);
        if (close == NULL || !literal_valid(p + 1, close)) {
            return false;
        }
        p = close + 1;
        return p == end || (*p == ':' && port_valid(p + 1, end));
    }
    if (p == end || *p == ':') {
        return false;
    }
    for (;;) {
        p = skip(p, end, NAME);
        if (p == end) {
            return true;
        }
        if (*p == ':') {
            return port_valid(p + 1, end);
        }
        if (*p != '%' || end - p < 3 || !isxdigit((unsigned char)p[1]) || !isxdigit((unsigned char)p[2])) {
            return false;
        }
        p += 3;
    }
}

const char *authority_bad_byte(struct span text)
{
    static const char delimiters[] = {':', '[', ']', '%'};
    const char *end = text.data + text.length;
    for (const char *p = skip(text.data, end, NAME); p < end; p = skip(p + 1, end, NAME)) {
        if (memchr(delimiters, *p, sizeof delimiters) == NULL) {
            return p;
        }
    }
    return NULL;
}

/* authority_skip_plain without blocks. Needs no limit: some byte before it is of neither class. */
static const char *skip_plain_bytes(const char *begin)
{
    const char *p = begin;
    while ((char_class[(unsigned char)*p] & NAME) != 0) {
        p++;
    }
    if (*p == ':' && p > begin) {
        p++;
        while ((char_class[(unsigned char)*p] & DIGIT) != 0) {
            p++;
        }
    }
    return p;
}

/* The same for a name of letters, digits, '-' and '.', and a port, within one block. NULL if the end is not certain. */
static ALWAYS_INLINE const char *skip_plain_block(const char *p)
{
    const block_bytes block = block_load(p);
    const block_bytes lower = block | 0x20;
    const block_bytes digits = (block >= '0') & (block <= '9');
    const block_bytes others = (block == '-') | (block == '.');
    unsigned length = block_run(block_mask(((lower >= 'a') & (lower <= 'z')) | digits | others));
    if (length >= BLOCK_SIZE - 1) {
        return NULL;
    }
    if (p[length] == ':' && length > 0) {
        length++;
        length += block_run(block_mask(digits) >> length);
    }
    return length < BLOCK_SIZE && (char_class[(unsigned char)p[length]] & NAME) == 0 ? p + length : NULL;
}

const char *authority_skip_plain(const char *text, const char *limit)
{
    const char *end = limit - text >= BLOCK_SIZE ? skip_plain_block(text) : NULL;
    return end != NULL ? end : skip_plain_bytes(text);
}
