/* SPDX-License-Identifier: MIT */
/* Iterates over field lines. */
#include "common/http/request.h"

bool field_next(struct span *lines, struct field *field)
{
    if (lines->length == 0) {
        return false;
    }
    const char *end = lines->data + lines->length;
    const char *newline = memchr(lines->data, '\n', lines->length);
    const char *colon = memchr(lines->data, ':', (size_t)(newline - lines->data));
    field->name = span_between(lines->data, colon);
    field->value = span_trim(span_between(colon + 1, newline - 1));
    *lines = span_between(newline + 1, end);
    return true;
}
