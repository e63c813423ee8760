/* SPDX-License-Identifier: MIT */
/* Writes JSON (RFC 8259) from bytes that nobody vouches for. Not a library: those build a tree first, which would hold
 * each body twice, outside the memory budget, and refuse field values that are not UTF-8. */
#ifndef ECHOD_COMMON_BASE_JSON_H
#define ECHOD_COMMON_BASE_JSON_H

#include "common/base/buffer.h"

struct json {
    struct buffer *text; /* the caller takes it, or frees it */
    struct budget budget;
    bool failed; /* no memory or no budget: the text is incomplete */
};

/* Punctuation and numbers, as they are. */
void json_raw(struct json *json, struct span text);
/* A string with its quotes. Escaped besides what JSON demands: '<', '>', '&' (HTML) and all control characters,
 * U+007F to U+009F too (terminals). A byte that is not part of valid UTF-8 becomes the code point of the same number. */
void json_string(struct json *json, struct span text);
/* The same with a fixed, clean text. */
void json_text(struct json *json, const char *text);
void json_number(struct json *json, uint64_t number);
/* A string with the bytes in base64 (RFC 4648, 4). */
void json_base64(struct json *json, struct span bytes);

/* Whether the bytes are well-formed UTF-8 (RFC 3629). */
bool json_utf8_valid(struct span text);

#endif
