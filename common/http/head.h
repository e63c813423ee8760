/* SPDX-License-Identifier: MIT */
/* The header section's meaning: Host, framing, persistence and expectation, as RFC 9110 and 9112 demand. */
#ifndef ECHOD_COMMON_HTTP_HEAD_H
#define ECHOD_COMMON_HTTP_HEAD_H

#include "common/http/request_line.h"

/* Reads the fields at the start of `lines`, which end with the empty line (it must be there: llhttp has seen it). Fills
 * in `fields`, `content_type`, `framing`, `expect`, `keep_alive`, and `host` if it is empty; `content_length` is the
 * parser's. Refuses what llhttp lets pass of Host (RFC 9112, 3.2) and Transfer-Encoding (RFC 9112, 6.1); tells the
 * parser of a chunked body that it does not see, for a tab. `*end` is the first byte behind the empty line. Any thread. */
struct parse_result head_read(struct span lines, llhttp_t *parser, struct request *request, const char **end);

#endif
