/* SPDX-License-Identifier: MIT */
/* Fixed texts: they do not depend on the origin, so that a cache cannot give one origin the answer to another. */
#include "common/http/cors.h"

#include "common/http/request_line.h"

#define FIELDS                           \
    "Access-Control-Allow-Origin: *\r\n" \
    "Access-Control-Expose-Headers: *\r\n"

/* The wildcard covers all fields but Authorization, which must be named. */
#define PREFLIGHT_FIELDS                                         \
    "Access-Control-Allow-Methods: " REQUEST_LINE_METHODS "\r\n" \
    "Access-Control-Allow-Headers: *, Authorization\r\n"         \
    "Access-Control-Max-Age: 86400\r\n"

struct span cors_fields(void)
{
    return SPAN_LITERAL(FIELDS);
}

struct span cors_preflight_fields(void)
{
    return SPAN_LITERAL(FIELDS PREFLIGHT_FIELDS);
}

bool cors_preflight(const struct request *request)
{
    bool origin = false;
    bool method = false;
    struct span lines = request->fields;
    struct field field;
    if (request->method != HTTP_OPTIONS) {
        return false;
    }
    while (field_next(&lines, &field)) {
        origin |= span_equal_nocase(field.name, SPAN_LITERAL("Origin"));
        method |= span_equal_nocase(field.name, SPAN_LITERAL("Access-Control-Request-Method"));
    }
    return origin && method;
}
