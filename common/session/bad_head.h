/* SPDX-License-Identifier: MIT */
/* Heads that are incomplete, or that llhttp refuses, rightly or not. Part of the session: only its files include this
 * header. Nothing here is on the path of a plain request. */
#ifndef ECHOD_COMMON_SESSION_BAD_HEAD_H
#define ECHOD_COMMON_SESSION_BAD_HEAD_H

#include "common/session/exchange.h"
#include "common/base/compiler.h"
#include "common/http/request_line.h"

/* Prepares the exchange for the answer to an error in a head, and makes it if there is none. `head`: the bytes of the head
 * so far. */
COLD void bad_head_exchange(struct pass *pass, struct span head);
/* Answers with the status and detail of `result`, and closes. `head`: the bytes of the head so far, perhaps none. */
COLD void bad_head_fail(struct pass *pass, struct span head, struct parse_result result);

/* The length of what llhttp has read of `data` when it refused a byte, and that byte. The parser's position is the refused
 * byte's; for the second @ of an authority it is that of the byte behind it, which may not have come yet. */
COLD size_t bad_head_refused_end(const llhttp_t *parser, const char *data, size_t length);

/* llhttp takes spaces behind the value of Content-Length but refuses a tab, which RFC 9110, 5.5 allows as well. Whether
 * the byte it has refused, the last of `seen`, is such a tab: then the parser stands behind the value again, and the
 * blanks that follow must be skipped before it is given more. */
COLD bool bad_head_blanks_begin(struct pass *pass, const char *data, size_t seen);
/* Skips such blanks, if they are to be skipped: as far as `data` and the limit of a head reach. */
COLD void bad_head_blanks_skip(struct pass *pass, const char *data, size_t length);

/* The three that follow return how many bytes of `data` were consumed: 0 if more must come first. */

/* llhttp refuses at the first odd byte of a request line; which answer is right may show a few bytes later. */
COLD size_t bad_head_line(struct pass *pass, const char *data, size_t length);
/* llhttp has seen `seen` bytes of the head and has not found its end, or has refused the last of them. */
COLD size_t bad_head_incomplete(struct pass *pass, const char *data, size_t length, size_t seen,
                                bool refused);
/* Passes over an empty line before a request. A CR at the end of the data waits for its LF. */
COLD size_t bad_head_empty_line(struct pass *pass, const char *data, size_t length);

#endif
