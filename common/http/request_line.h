/* SPDX-License-Identifier: MIT */
/* Validates the request line where llhttp accepts more than RFC 9112, 3 does, in the order of its bytes. Any thread. */
#ifndef ECHOD_COMMON_HTTP_REQUEST_LINE_H
#define ECHOD_COMMON_HTTP_REQUEST_LINE_H

#include "common/http/request.h"
#include "common/http/status.h"

enum {
    REQUEST_LINE_METHOD_MAX = 32
}; /* an unknown method of up to so many bytes gets a 501, a longer one a 400 */

struct parse_result {
    unsigned status;    /* STATUS_OK, or the error to answer; 0: more bytes are needed */
    const char *detail; /* the reason, static. NULL: a byte of the target, see request_line_bad_byte */
};

/* Reads the request line at the start of `prefix`, which may end before the line does. `refused`: llhttp has refused
 * a byte of the prefix; then the result is never STATUS_OK.
 *
 * With STATUS_OK, sets `target`, `path`, `query`, `host` (of an absolute target, else empty), `method` and
 * `minor_version` of `request`, and `*length` to the length of the line with its CRLF. Otherwise `request` may be
 * set in part. Errors are 400, 501 (unknown method: RFC 9110, 9.1) and 505. A status other than 0 is the same for
 * every longer prefix. */
struct parse_result request_line_read(struct span prefix, bool refused, struct request *request,
                                      size_t *length);

/* For a prefix whose result has no detail: returns the byte that is not allowed in the target (RFC 9112, 3.2), and sets
 * `*offset` to its distance from the beginning of the target. */
unsigned char request_line_bad_byte(struct span prefix, size_t *offset);

/* request_line_read for the most frequent form of the line: GET, a path without a query, HTTP/1.1. `head` begins
 * with the line; llhttp has accepted all of it. Returns the length of the line with its CRLF; 0 if it has another
 * form and request_line_read must read it. */
size_t request_line_read_usual(struct span head, struct request *request);

/* All methods served, the well-known ones first. A unit test compares the list with llhttp's table. */
#define REQUEST_LINE_METHODS                                                                          \
    "GET, HEAD, POST, PUT, DELETE, OPTIONS, TRACE, PATCH, QUERY, COPY, LOCK, MKCOL, MOVE, PROPFIND, " \
    "PROPPATCH, SEARCH, UNLOCK, BIND, REBIND, UNBIND, ACL, REPORT, MKACTIVITY, CHECKOUT, "            \
    "MERGE, M-SEARCH, NOTIFY, SUBSCRIBE, UNSUBSCRIBE, PURGE, MKCALENDAR, LINK, UNLINK, SOURCE"

/* Returns the value of `Allow` that lists them (RFC 9110, 10.2.1), in static memory. */
struct span request_line_methods(void);

#endif
