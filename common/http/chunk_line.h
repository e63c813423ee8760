/* SPDX-License-Identifier: MIT */
/* Parses a chunk-size line byte by byte (RFC 9112, 7.1 and 7.1.1):
 *
 *     chunk-size *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] ) CRLF
 *
 * llhttp refuses the blanks around ';' and '=', which a recipient must accept (BWS: RFC 9110, 5.6.3), and accepts
 * extensions without a name. So the session passes llhttp only the size and CRLF, never an extension. */
#ifndef ECHOD_COMMON_HTTP_CHUNK_LINE_H
#define ECHOD_COMMON_HTTP_CHUNK_LINE_H

#include <stdint.h>

#include "common/base/number.h"
#include "common/base/span.h"

enum chunk_line_result {
    CHUNK_LINE_MORE,     /* the line is not complete */
    CHUNK_LINE_DONE,     /* `size` is the size of the chunk */
    CHUNK_LINE_BAD_SIZE, /* no hexadecimal number, or more than 64 bits */
    CHUNK_LINE_BAD_EXTENSION,
    CHUNK_LINE_BAD_END, /* a CR without LF */
};

struct chunk_line {
    uint64_t size; /* bytes */
    uint8_t state; /* private: the position in the grammar */
};

/* Prepares for the first byte of a line. Any thread. */
void chunk_line_init(struct chunk_line *line);

/* Continues with `bytes`, up to and including the LF of the line or the first byte that the grammar does not allow;
 * sets `*used` to the number of bytes read. The result does not depend on how the line was split. After any result
 * but CHUNK_LINE_MORE, chunk_line_init must come before the next call. Any thread. */
enum chunk_line_result chunk_line_read(struct chunk_line *line, struct span bytes, size_t *used);

enum { CHUNK_LINE_TEXT_SIZE = NUMBER_HEX_SIZE + 2 };
/* Writes the line for a chunk of `size` bytes, with its CRLF and without extensions or NUL. Returns its length. Any
 * thread. */
size_t chunk_line_format(char out[CHUNK_LINE_TEXT_SIZE], uint64_t size);

#endif
