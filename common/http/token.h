/* SPDX-License-Identifier: MIT */
/* Tokens: the characters of methods, field names and chunk extensions (RFC 9110, 5.6.2). */
#ifndef ECHOD_COMMON_HTTP_TOKEN_H
#define ECHOD_COMMON_HTTP_TOKEN_H

#include "common/base/span.h"

/* Whether a byte, as an unsigned char, may be in a token. */
extern const bool token_char[256];

/* Returns the first byte of [p, end) that cannot be in a token; `end` if there is none. Any thread. */
static inline const char *token_end(const char *p, const char *end)
{
    while (p < end && token_char[(unsigned char)*p]) {
        p++;
    }
    return p;
}

#endif
