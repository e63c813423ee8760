/* SPDX-License-Identifier: MIT */
/* --check: a client for one request, so that an image with nothing else in it can look at its own health. */
#ifndef ECHOD_SERVER_HEALTH_CHECK_H
#define ECHOD_SERVER_HEALTH_CHECK_H

#include <stdbool.h>

#include "server/net/listen_spec.h"

/* The longest time for a whole check. */
enum { HEALTH_CHECK_TIMEOUT_MS = 5000 };

/* The main thread calls both functions. */

/* With `proxied`, a header of the PROXY protocol, UNKNOWN, comes first on TCP.
 *
 * Gets the URL, which url_parse must accept. Returns the exit status: 0 if the answer is HTTP/1.x with a status of 2xx;
 * otherwise 1, and one line on stderr says why. `reason_of` returns the reason phrase of a status for that line, never
 * NULL. Blocks for at most HEALTH_CHECK_TIMEOUT_MS. */
int health_check_run(const char *url, bool proxied, const char *(*reason_of)(unsigned status));

/* The same for /healthz of the server that listens there: on a port other than 0, or a unix socket. All addresses mean
 * the loopback address of their family. */
int health_check_run_listener(const struct listen_spec *listener, bool proxied,
                              const char *(*reason_of)(unsigned status));

#endif
