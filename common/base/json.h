/* SPDX-License-Identifier: MIT */
/* Writes JSON (RFC 8259) from bytes that a client may have chosen. A library would build a tree first, which would hold
 * each body twice and outside the memory budget, and would refuse field values that are not UTF-8. */
#ifndef ECHOD_COMMON_BASE_JSON_H
#define ECHOD_COMMON_BASE_JSON_H

#include "common/base/buffer.h"

/* Initially `text` is NULL, `failed` is false and `budget` is that of the calling thread. */
struct json {
    struct buffer *text; /* the caller owns it */
    struct budget budget;
    bool failed; /* no memory or budget: the text is incomplete */
};

/* All functions append to `json->text`, with BUDGET_MAY_REFUSE. After a failure they append nothing more. One thread
 * at a time. */

/* Appends `text` as it is: punctuation, numbers. */
void json_raw(struct json *json, struct span text);
/* Appends a string with its quotes. Escapes, besides what JSON requires: '<', '>' and '&' (for HTML), U+007F to U+009F
 * (for terminals). A byte that is not part of valid UTF-8 becomes the code point with the same number. */
void json_string(struct json *json, struct span text);
/* json_string for a text that ends in NUL. */
void json_text(struct json *json, const char *text);
void json_number(struct json *json, uint64_t number);
/* Appends a string with the bytes in base64 (RFC 4648, 4). */
void json_base64(struct json *json, struct span bytes);

/* Whether the bytes are well-formed UTF-8 (RFC 3629). Any thread. */
bool json_utf8_valid(struct span text);

#endif
