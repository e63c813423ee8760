/* SPDX-License-Identifier: MIT */
/* The parameters of a query string, in their order. Any thread. */
#ifndef ECHOD_COMMON_HTTP_QUERY_H
#define ECHOD_COMMON_HTTP_QUERY_H

#include <sys/types.h>

#include "common/base/span.h"

struct parameter {
    struct span name;  /* as sent, undecoded */
    struct span value; /* as sent, undecoded; empty without '=' */
};

/* Removes the first parameter from `*query` (a query without its '?') and stores it in `*parameter`, as spans of the
 * same bytes. Skips empty parameters, as in `a&&b`. Returns false if there is none left. */
bool query_next(struct span *query, struct parameter *parameter);

/* Percent-decodes `value` once; '+' is not changed. `out` must have room for `value.length` bytes. Returns the decoded
 * length, or -EINVAL if two hexadecimal digits do not follow a '%' (RFC 3986, 2.1). */
ssize_t query_decode(struct span value, char *out);

#endif
