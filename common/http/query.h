/* SPDX-License-Identifier: MIT */
/* The parameters of a query string, in the order they came. */
#ifndef ECHOD_COMMON_HTTP_QUERY_H
#define ECHOD_COMMON_HTTP_QUERY_H

#include <sys/types.h>

#include "common/base/span.h"

struct parameter {
    struct span name;  /* as sent */
    struct span value; /* as sent; empty without '=' */
};

/* Takes the first parameter off `*query`; false at the end. Empty ones (`a&&b`) are passed over. Any thread. */
bool query_next(struct span *query, struct parameter *parameter);

/* Percent-decodes once; '+' stays what it is. `out` has room for `value.length` bytes. The decoded length, or -EINVAL
 * for a '%' that two hexadecimal digits do not follow (RFC 3986, 2.1). Any thread. */
ssize_t query_decode(struct span value, char *out);

#endif
