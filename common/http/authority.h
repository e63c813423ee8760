/* SPDX-License-Identifier: MIT */
/* Checks `uri-host [":" port]`: the value of Host, and the authority of an absolute request target (RFC 9110, 7.2).
 * Any thread. */
#ifndef ECHOD_COMMON_HTTP_AUTHORITY_H
#define ECHOD_COMMON_HTTP_AUTHORITY_H

#include <stdbool.h>

#include "common/base/span.h"

/* Whether the text is an IP literal in brackets or a registered name, optionally with a port, which may be empty
 * (RFC 3986, 3.2.2 and 3.2.3). An empty host and user information are not valid (RFC 9110, 4.2.1 and 4.2.4). */
bool authority_valid(struct span text);
/* Returns the first byte that cannot occur in any valid authority; NULL if there is none, which does not make the text
 * valid. */
const char *authority_bad_byte(struct span text);
/* Skips a registered name without percent-encoding, and a port behind it if there is one. Returns the first byte behind
 * them; `text` if there is no name. A byte that can be in neither must come before `limit`, and all bytes up to `limit`
 * must be readable. */
const char *authority_skip_plain(const char *text, const char *limit);

#endif
