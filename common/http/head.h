/* SPDX-License-Identifier: MIT */
/* Interprets the header section: Host, framing, persistence and expectation, as RFC 9110 and RFC 9112 require. */
#ifndef ECHOD_COMMON_HTTP_HEAD_H
#define ECHOD_COMMON_HTTP_HEAD_H

#include "common/http/request_line.h"

/* Reads the field lines at the start of `lines`, up to the empty line, which must be there (llhttp has seen it);
 * sets `*end` to the first byte behind it. The request line must have been read into `request`, by request_line_read
 * or request_line_read_usual.
 *
 * Sets `fields`, `content_type`, `framing`, `expect` (RFC 9110, 10.1.1), `keep_alive` (RFC 9112, 9.3),
 * `content_length` (from the parser), and `host` unless the target is absolute. Returns STATUS_OK, or the error to
 * answer for the faults in Host (RFC 9112, 3.2) and Transfer-Encoding (RFC 9112, 6.1) that llhttp accepts: 400, or
 * 501 for a transfer coding other than chunked. After an error only `fields` and `*end` are certain to be set.
 *
 * Sets F_CHUNKED in `parser` if a tab follows "chunked": RFC 9110, 5.5 allows it, but llhttp does not recognize the
 * coding. The thread that owns `parser`. */
struct parse_result head_read(struct span lines, llhttp_t *parser, struct request *request, const char **end);

#endif
