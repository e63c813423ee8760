/* SPDX-License-Identifier: MIT */
/* Accepts what cannot change the framing of an answer, and no field that echod writes itself. */
#include "common/http/asked_field.h"

#include "common/http/token.h"

static const struct span refused_names[] = {
    SPAN_LITERAL("Content-Length"), SPAN_LITERAL("Transfer-Encoding"),
    SPAN_LITERAL("Connection"),     SPAN_LITERAL("Keep-Alive"),
    SPAN_LITERAL("Upgrade"),        SPAN_LITERAL("TE"),
    SPAN_LITERAL("Trailer"),        SPAN_LITERAL("Date"),
    SPAN_LITERAL("Server"),
};

static bool name_valid(struct span name)
{
    const char *end = name.data + name.length;
    return name.length > 0 && token_end(name.data, end) == end;
}

static bool value_valid(struct span value)
{
    for (size_t i = 0; i < value.length; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if ((c < ' ' && c != '\t') || c == 0x7f) {
            return false;
        }
    }
    return true;
}

static bool name_refused(struct span name)
{
    for (size_t i = 0; i < sizeof refused_names / sizeof refused_names[0]; i++) {
        if (span_equal_nocase(name, refused_names[i])) {
            return true;
        }
    }
    return false;
}

const char *asked_field_read(struct span text, struct field *field)
{
    const char *colon = memchr(text.data, ':', text.length);
    if (colon == NULL) {
        return "must be Name:Value";
    }
    field->name = span_between(text.data, colon);
    field->value = span_trim(span_between(colon + 1, text.data + text.length));
    if (!name_valid(field->name) || !value_valid(field->value)) {
        return "must be Name:Value without control characters";
    }
    return name_refused(field->name) ? "must not be a framing or connection field" : NULL;
}
