/* SPDX-License-Identifier: MIT */
/* Handles heads that are incomplete, and heads that llhttp refuses, even wrongly. Part of the session: only its files
 * include this header, and only the thread that drives the connection calls these functions. `data` and `head` stay the
 * caller's. Nothing here is on the path of a plain request. */
#ifndef ECHOD_COMMON_SESSION_BAD_HEAD_H
#define ECHOD_COMMON_SESSION_BAD_HEAD_H

#include "common/session/exchange/exchange.h"
#include "common/base/compiler.h"
#include "common/http/request_line.h"

/* Prepares the exchange for the answer to an error in a head; makes an exchange if the pass has none. `head`: the bytes
 * of the head so far, which must stay valid until the exchange is over. */
COLD void bad_head_exchange(struct pass *pass, struct span head);
/* Answers with the status and detail of `result`, and closes. `head`: the bytes of the head so far, perhaps none. */
COLD void bad_head_fail(struct pass *pass, struct span head, struct parse_result result);

/* Returns the number of bytes of `data` up to and including the byte that llhttp has refused. llhttp's error position
 * is that byte; for the second '@' of an authority it is the next byte, which may not have arrived yet. */
COLD size_t bad_head_refused_end(const llhttp_t *parser, const char *data, size_t length);

/* llhttp accepts spaces after the value of Content-Length but refuses a tab, which RFC 9110, 5.5 also allows. If the
 * byte that llhttp has refused, the last of the first `seen` bytes of `data`, is such a tab, this function sets the
 * parser back to the point after the value and returns true. The caller must then skip the blanks that follow, with
 * bad_head_blanks_skip, before it gives the parser more bytes. Returns false if there is no such tab or the parser
 * cannot continue. */
COLD bool bad_head_blanks_begin(struct pass *pass, const char *data, size_t seen);
/* Skips the blanks after such a tab, up to the end of `data` or the limit of the head, if there was such a tab. */
COLD void bad_head_blanks_skip(struct pass *pass, const char *data, size_t length);

/* Each of the next three functions returns the number of bytes of `data` that it has consumed; 0 if it needs more. */

/* Answers a request line that llhttp has refused. llhttp refuses it at the first wrong byte; the bytes that follow may
 * decide which error is right, so the function may need them. */
COLD size_t bad_head_line(struct pass *pass, const char *data, size_t length);
/* Checks a head of which llhttp has read `seen` bytes without finding the end. `refused`: llhttp has refused the last
 * of these bytes. Answers with the error as soon as the bytes determine it. */
COLD size_t bad_head_incomplete(struct pass *pass, const char *data, size_t length, size_t seen,
                                bool refused);
/* Passes over an empty line before a request. A CR at the end of the data waits for its LF. */
COLD size_t bad_head_empty_line(struct pass *pass, const char *data, size_t length);

#endif
