/* SPDX-License-Identifier: MIT */
/* --check: a client for one request, so that an image with nothing else in it can look at its own health. */
#ifndef ECHOD_SERVER_HEALTH_CHECK_H
#define ECHOD_SERVER_HEALTH_CHECK_H

#include "common/base/span.h"
#include "server/net/listen_spec.h"

/* How long the whole of it may take. */
enum { HEALTH_CHECK_TIMEOUT_MS = 5000 };

/* Where to connect and what to ask for; the spans are parts of the text it was read from. */
struct url {
    struct listen_spec where; /* never LISTEN_ANY; with a port other than 0 */
    struct span host;         /* for the Host field; localhost for a unix socket */
    struct span target;       /* path and query, both may be missing; without a fragment */
};

/* What a URL may look like, for a message that refuses one. */
#define URL_FORMS "http://ADDRESS[:PORT]/PATH (numeric, [IPv6] or localhost) or http://unix:SOCKET:/PATH"

/* Reads a URL: names other than localhost are not resolved, since a static executable in an empty root cannot. The port is 80
 * if there is none. 0, or -EINVAL with *why set to a static text; then *url is undefined. */
int url_parse(struct url *url, const char *text, size_t length, const char **why);

/* Gets the URL, which url_parse takes. Returns the exit status: 0 if the answer is one of HTTP/1.x with a status of
 * 2xx, else 1, with one line on stderr that says why. */
int health_check_run(const char *url);

/* The same for /healthz of the server that listens there: on a port other than 0, or a unix socket. All addresses mean
 * the loopback address of their family. */
int health_check_run_listener(const struct listen_spec *listener);

#endif
