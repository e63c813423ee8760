/* SPDX-License-Identifier: MIT */
/* /bytes/{n}: n bytes of a fixed pattern, made as they are sent. */
#include "common/handlers/routes.h"
#include "common/base/number.h"

enum { BYTES_MAX = 1 << 30 };

/* Byte i of the answer is byte i modulo 64 of this. */
static const char pattern[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
enum { PATTERN_LENGTH = sizeof pattern - 1 };

static void bytes_begin(const struct request *request, struct response *response)
{
    uint64_t n = 0;
    if (number_parse_u64(request->parameter.data, request->parameter.length, BYTES_MAX, &n) != 0) {
        response_problem(response, STATUS_BAD_REQUEST, "The number of bytes must be from 0 to %d.",
                         BYTES_MAX);
        return;
    }
    response->content_type = SPAN_LITERAL("application/octet-stream");
    response->body = CONTENT_PRODUCED;
    response->length = n;
}

static void bytes_produce(uint64_t offset, char *out, size_t length)
{
    size_t skip = offset % PATTERN_LENGTH;
    while (length > 0) {
        size_t piece = PATTERN_LENGTH - skip < length ? PATTERN_LENGTH - skip : length;
        memcpy(out, pattern + skip, piece);
        out += piece;
        length -= piece;
        skip = 0;
    }
}

const struct handler bytes_handler = {.begin = bytes_begin, .produce = bytes_produce};
