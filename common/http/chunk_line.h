/* SPDX-License-Identifier: MIT */
/* A chunk-size line, read byte by byte (RFC 9112, 7.1 and 7.1.1):
 *
 *     chunk-size *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] ) CRLF
 *
 * llhttp refuses the blanks around ';' and '=', which a recipient must accept, and accepts extensions without a name. So it is
 * given the size and CRLF only, and never sees an extension. */
#ifndef ECHOD_COMMON_HTTP_CHUNK_LINE_H
#define ECHOD_COMMON_HTTP_CHUNK_LINE_H

#include <stdint.h>

#include "common/base/number.h"
#include "common/base/span.h"

enum chunk_line_result {
    CHUNK_LINE_MORE, /* the line goes on */
    CHUNK_LINE_DONE, /* `size` is the chunk's */
    CHUNK_LINE_BAD_SIZE,
    CHUNK_LINE_BAD_EXTENSION,
    CHUNK_LINE_BAD_END, /* a CR without its LF */
};

struct chunk_line {
    uint64_t size;
    uint8_t state; /* where in the grammar the next byte stands; private */
};

/* At the start of a line. */
void chunk_line_init(struct chunk_line *line);

/* Reads on, up to the line's LF or the first byte that the grammar does not allow; `*used` counts the bytes up to and
 * with it. The outcome does not depend on how the line was split. After a result other than CHUNK_LINE_MORE the line
 * must be initialized again. Any thread. */
enum chunk_line_result chunk_line_read(struct chunk_line *line, struct span bytes, size_t *used);

enum { CHUNK_LINE_TEXT_SIZE = NUMBER_HEX_SIZE + 2 };
/* Writes the line of a chunk of `size` bytes, without extensions. Returns its length; no NUL behind it. Any thread. */
size_t chunk_line_format(char out[CHUNK_LINE_TEXT_SIZE], uint64_t size);

#endif
