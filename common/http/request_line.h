/* SPDX-License-Identifier: MIT */
/* The request line, judged where llhttp is laxer than RFC 9112, 3, in the order of its bytes. */
#ifndef ECHOD_COMMON_HTTP_REQUEST_LINE_H
#define ECHOD_COMMON_HTTP_REQUEST_LINE_H

#include "common/http/request.h"
#include "common/http/status.h"

enum { REQUEST_LINE_METHOD_MAX = 32 }; /* bytes of a method that is answered with 501 rather than 400 */

struct parse_result {
    unsigned status;    /* STATUS_OK, or the error to answer; 0: too few bytes to tell */
    const char *detail; /* static; why. NULL: a byte of the target; see request_line_bad_byte */
};

/* Reads the request line at the start of `prefix`, which may end before the line does: fills in `target`, `path`, `query`,
 * `host` (of an absolute target, else empty), `method` and `minor_version`; `*length` is the line's with its CRLF.
 * `refused` says that llhttp has refused a byte of the prefix. What llhttp lets pass and RFC 9112 does not is refused
 * here. A result other than 0 is the same for every longer prefix. `request` may be filled in part after an error. */
struct parse_result request_line_read(struct span prefix, bool refused, struct request *request,
                                      size_t *length);

/* Of a prefix with a result without detail: the byte that may not stand in the target, and how far from its beginning. */
unsigned char request_line_bad_byte(struct span prefix, size_t *offset);

/* request_line_read for the line at the start of a head that llhttp has taken whole, if it is as nearly all are: GET, a
 * path without a query, HTTP/1.1. Its length; 0 if it must be judged by request_line_read. */
size_t request_line_read_usual(struct span head, struct request *request);

/* Every method served, in the order readers expect, not llhttp's; a unit test holds it against llhttp's table. */
#define REQUEST_LINE_METHODS                                                                          \
    "GET, HEAD, POST, PUT, DELETE, OPTIONS, TRACE, PATCH, QUERY, COPY, LOCK, MKCOL, MOVE, PROPFIND, " \
    "PROPPATCH, SEARCH, UNLOCK, BIND, REBIND, UNBIND, ACL, REPORT, MKACTIVITY, CHECKOUT, "            \
    "MERGE, M-SEARCH, NOTIFY, SUBSCRIBE, UNSUBSCRIBE, PURGE, MKCALENDAR, LINK, UNLINK, SOURCE"

/* The `Allow` value that lists them. Static. */
struct span request_line_methods(void);

#endif
