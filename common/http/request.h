/* SPDX-License-Identifier: MIT */
/* A request as handlers see it: spans of the bytes as they arrived, already validated. */
#ifndef ECHOD_COMMON_HTTP_REQUEST_H
#define ECHOD_COMMON_HTTP_REQUEST_H

#include <llhttp.h>
#include <stdint.h>

#include "common/base/peer.h"
#include "common/base/span.h"

enum framing {
    FRAMING_NONE,    /* no body */
    FRAMING_LENGTH,  /* Content-Length, which may be 0 */
    FRAMING_CHUNKED, /* Transfer-Encoding: chunked */
};

enum expect {
    EXPECT_NOTHING,
    EXPECT_CONTINUE, /* 100-continue */
    EXPECT_UNKNOWN,  /* anything else: 417 */
};

struct service;

/* For a handler, valid until its call returns: the spans point into a read buffer. */
struct request {
    struct span target; /* as in the request line (RFC 9112, 3.2) */
    struct span path;   /* as sent, undecoded; "/" if an absolute target has none; "*" for OPTIONS * */
    struct span query;  /* without the '?'; empty if there is none */
    struct span host;   /* of an absolute target, else the value of Host, else empty (RFC 9112, 3.2.2) */
    struct span fields; /* the header section: lines that each end in CRLF, without the empty line */
    struct span content_type; /* the value of Content-Type, or empty */
    uint64_t content_length;  /* bytes, with FRAMING_LENGTH */
    struct span parameter;    /* the part of the path that matches the {} of its route */
    /* Only for a handler's `finish`, when the request is complete. */
    struct span body;
    struct span trailers;     /* like `fields` */
    const struct peer *local; /* the connection's own address; NULL: unknown */
    uint8_t method;           /* llhttp_method_t */
    uint8_t minor_version;    /* of HTTP/1 */
    uint8_t framing;          /* enum framing */
    uint8_t expect;           /* enum expect */
    bool keep_alive;          /* the client allows the connection to persist (RFC 9112, 9.3) */
    bool refused;             /* the connection is refused: it only gets a 503 */
    const struct service *service;
    const struct peer *peer;
    uint64_t connection; /* the number of its connection */
    uint32_t ordinal;    /* the number of the request on its connection, from 1 */
};

/* Whether a body follows the head. Any thread. */
static inline bool request_has_body(const struct request *request)
{
    return request->framing == FRAMING_CHUNKED ||
           (request->framing == FRAMING_LENGTH && request->content_length > 0);
}

/* Returns the name of the method, such as "GET", in static memory. Any thread. */
static inline const char *request_method_name(const struct request *request)
{
    return llhttp_method_name((llhttp_method_t)request->method);
}

/* One field of a header or trailer section. */
struct field {
    struct span name;
    struct span value; /* without the whitespace around it */
};

/* Removes the first line from `*lines`, a section that llhttp has accepted, and stores it in `*field`, as spans of
 * the same bytes. Returns false if there is none left. Any thread. */
bool field_next(struct span *lines, struct field *field);

#endif
