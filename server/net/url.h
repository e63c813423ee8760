/* SPDX-License-Identifier: MIT */
/* URLs of http, as --check takes them. */
#ifndef ECHOD_SERVER_NET_URL_H
#define ECHOD_SERVER_NET_URL_H

#include "common/base/span.h"
#include "server/net/listen_spec.h"

/* Where to connect and what to ask for; the spans are parts of the text it was read from. */
struct url {
    struct listen_spec where; /* never LISTEN_ANY; with a port other than 0 */
    struct span host;         /* for the Host field; localhost for a unix socket */
    struct span target;       /* path and query, both may be missing; without a fragment */
};

/* What a URL may look like, for a message that refuses one. */
#define URL_FORMS "http://ADDRESS[:PORT]/PATH (numeric, [IPv6] or localhost) or http://unix:SOCKET:/PATH"

/* What a URL begins with. */
#define URL_SCHEME "http://"
/* The host of a unix socket, which has no authority; an empty one is refused: RFC 9110, 4.2.1. */
#define URL_UNIX_HOST "localhost"
/* Bytes of a URL. */
enum { URL_MAX = 2048 };

/* Reads a URL. Names other than localhost are not resolved, since a static executable in an empty root cannot. Without a
 * port it is 80. 0, or -EINVAL with *why set to a static text; then *url is undefined. Any thread. */
int url_parse(struct url *url, const char *text, size_t length, const char **why);

/* The zone of the host's IPv6 address with its '%', a part of `url->host`; empty, at the host's end, if there is none.
 * Any thread. */
struct span url_host_zone(const struct url *url);

#endif
