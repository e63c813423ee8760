/* SPDX-License-Identifier: MIT */
/* A request as handlers see it: spans of the bytes as they came, judged already. */
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

/* Valid until the handler's call returns: the spans point into a read buffer. */
struct request {
    struct span target; /* as it stands in the request line */
    struct span path;   /* as sent, undecoded; "/" where an absolute target has none; "*" for OPTIONS * */
    struct span query;  /* behind the '?', without it; empty if none */
    struct span host;   /* of an absolute target, else the Host field's value, else empty */
    struct span fields; /* the header section: lines that each end in CRLF, without the empty line */
    struct span content_type;
    uint64_t content_length; /* with FRAMING_LENGTH */
    struct span parameter;   /* what stands for the {} of its route's path */
    /* Filled in for `finish` only, once the request is whole. */
    struct span body;
    struct span trailers;  /* like `fields` */
    uint8_t method;        /* llhttp_method_t */
    uint8_t minor_version; /* of HTTP/1 */
    uint8_t framing;       /* enum framing */
    uint8_t expect;        /* enum expect */
    bool keep_alive;       /* what the client wants of the connection */
    bool refused;          /* this connection is only told that it is not served */
    /* Where it came from. */
    const struct service *service;
    const struct peer *peer;
    uint64_t connection; /* its number */
    uint32_t ordinal;    /* of the request on its connection, from 1 */
};

static inline bool request_has_body(const struct request *request)
{
    return request->framing == FRAMING_CHUNKED ||
           (request->framing == FRAMING_LENGTH && request->content_length > 0);
}

/* "GET"; static. */
static inline const char *request_method_name(const struct request *request)
{
    return llhttp_method_name((llhttp_method_t)request->method);
}

/* One field of a header or trailer section. */
struct field {
    struct span name;
    struct span value; /* without the whitespace around it */
};

/* Takes the first line off `*lines` (a section that llhttp has accepted) and splits it; false at the end. Any thread. */
bool field_next(struct span *lines, struct field *field);

#endif
