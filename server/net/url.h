/* SPDX-License-Identifier: MIT */
/* http URLs, for --check. Any thread. */
#ifndef ECHOD_SERVER_NET_URL_H
#define ECHOD_SERVER_NET_URL_H

#include "common/base/span.h"
#include "server/net/listen_spec.h"

/* The server and the resource. The spans are parts of the text that was parsed. */
struct url {
    struct listen_spec where; /* never LISTEN_ANY; the port is not 0, but unused with LISTEN_UNIX */
    struct span host;         /* for the Host field; URL_UNIX_HOST for a unix socket */
    struct span target;       /* path and query without the fragment; either or both may be missing */
};

/* The forms of a URL, for error messages. */
#define URL_FORMS "http://ADDRESS[:PORT]/PATH (numeric, [IPv6] or localhost) or http://unix:SOCKET:/PATH"

/* The beginning of every URL, in any case of letters. */
#define URL_SCHEME "http://"
/* The host for a unix socket, whose URL has none: an empty host is invalid (RFC 9110, 4.2.1). */
#define URL_UNIX_HOST "localhost"
/* The most bytes of a URL. */
enum { URL_MAX = 2048 };

/* Reads a URL (RFC 9110, 4.2.1) of `length` bytes, which need not end in NUL. Host names other than localhost are
 * not allowed: a static executable in an empty root cannot resolve them. The default port is 80. Returns 0, or
 * -EINVAL with *why set to a static text with the reason; *url is then undefined. */
int url_parse(struct url *url, const char *text, size_t length, const char **why);

/* Returns the zone of the host's IPv6 address with its '%', as a part of `url->host`; an empty span at the end of
 * the host if there is none. */
struct span url_host_zone(const struct url *url);

#endif
