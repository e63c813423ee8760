/* SPDX-License-Identifier: MIT */
/* Header fields that a client or a flag asks for. */
#include "common/http/asked_field.h"

#include <criterion/criterion.h>

#define TEXT(literal) ((struct span){.data = (literal), .length = sizeof(literal) - 1})

static const struct {
    struct span text;
    struct span name;
    struct span value;
} good[] = {
    {TEXT("A:1"), TEXT("A"), TEXT("1")},         {TEXT("X-A: \t b c \t"), TEXT("X-A"), TEXT("b c")},
    {TEXT("A:"), TEXT("A"), TEXT("")},           {TEXT("A:b:c"), TEXT("A"), TEXT("b:c")},
    {TEXT("A:b\tc"), TEXT("A"), TEXT("b\tc")},   {TEXT("A:\xc3\xa4"), TEXT("A"), TEXT("\xc3\xa4")},
    {TEXT("Dates:1"), TEXT("Dates"), TEXT("1")},
};

Test(asked_field, good)
{
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct field field;
        cr_expect_null(asked_field_read(good[i].text, &field), "row %zu", i);
        cr_expect(span_equal(field.name, good[i].name) && span_equal(field.value, good[i].value), "row %zu",
                  i);
    }
}

static const struct {
    struct span text;
    const char *said;
} bad[] = {
    {TEXT(""), "must be Name:Value"},
    {TEXT("A"), "must be Name:Value"},
    {TEXT(":b"), "must be Name:Value without control characters"},
    {TEXT("A :b"), "must be Name:Value without control characters"},
    {TEXT("A:b\r\nC:d"), "must be Name:Value without control characters"},
    {TEXT("A:b\0"), "must be Name:Value without control characters"},
    {TEXT("A:\x7f"), "must be Name:Value without control characters"},
    {TEXT("\xc3\xa4:b"), "must be Name:Value without control characters"},
    {TEXT("Content-Length:1"), "must not be a framing or connection field"},
    {TEXT("transfer-encoding:x"), "must not be a framing or connection field"},
    {TEXT("CONNECTION:close"), "must not be a framing or connection field"},
    {TEXT("Date:x"), "must not be a framing or connection field"},
    {TEXT("Server:x"), "must not be a framing or connection field"},
};

Test(asked_field, bad)
{
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct field field;
        const char *said = asked_field_read(bad[i].text, &field);
        cr_assert_not_null(said, "row %zu", i);
        cr_expect_str_eq(said, bad[i].said, "row %zu: %s", i, said);
    }
}
