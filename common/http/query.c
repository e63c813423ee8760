/* SPDX-License-Identifier: MIT */
/* name=value pairs, separated by '&'. */
#include "common/http/query.h"

#include <errno.h>

#include "common/base/number.h"

bool query_next(struct span *query, struct parameter *parameter)
{
    while (query->length > 0) {
        const char *end = query->data + query->length;
        const char *and = memchr(query->data, '&', query->length);
        struct span pair = span_between(query->data, and == NULL ? end : and);
        *query = and == NULL ? span_between(end, end) : span_between(and+1, end);
        if (pair.length == 0) {
            continue;
        }
        const char *equals = memchr(pair.data, '=', pair.length);
        const char *pair_end = pair.data + pair.length;
        parameter->name = span_between(pair.data, equals == NULL ? pair_end : equals);
        parameter->value = span_between(equals == NULL ? pair_end : equals + 1, pair_end);
        return true;
    }
    return false;
}

ssize_t query_decode(struct span value, char *out)
{
    ssize_t length = 0;
    for (size_t i = 0; i < value.length; i++) {
        char c = value.data[i];
        if (c == '%') {
            int high = i + 2 < value.length ? number_hex_value(value.data[i + 1]) : -1;
            int low = i + 2 < value.length ? number_hex_value(value.data[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return -EINVAL;
            }
            c = (char)(high * 16 + low);
            i += 2;
        }
        out[length++] = c;
    }
    return length;
}
