/* SPDX-License-Identifier: MIT */
/* Is this text `uri-host [":" port]`? What Host and the authority of an absolute target may be (RFC 9110, 7.2). */
#ifndef ECHOD_COMMON_HTTP_AUTHORITY_H
#define ECHOD_COMMON_HTTP_AUTHORITY_H

#include <stdbool.h>

#include "common/base/span.h"

/* RFC 3986, 3.2.2 and 3.2.3: an IP literal in brackets, or a registered name, then perhaps a port. A host that is empty
 * and user information are refused (RFC 9110, 4.2.1 and 4.2.4). Any thread. */
bool authority_valid(struct span text);
/* The first byte that no authority may have, or NULL: that there is none does not make it valid. Any thread. */
const char *authority_bad_byte(struct span text);
/* The first byte behind a registered name (nothing in it percent-encoded) and perhaps a port; `text` if there is none.
 * Before `limit` there is a byte that neither can have; the bytes up to `limit` can be read. Any thread. */
const char *authority_skip_plain(const char *text, const char *limit);

#endif
