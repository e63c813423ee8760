/* SPDX-License-Identifier: MIT */
/* A query's parameters in their order, and percent-decoding (RFC 3986, 2.1). */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/http/query.h"

static const struct {
    const char *query;
    const char *parameters; /* each as <name|value> */
} queries[] = {
    {"", ""},
    {"a=1", "<a|1>"},
    {"a", "<a|>"},
    {"a=", "<a|>"},
    {"=1", "<|1>"},
    {"=", "<|>"},
    {"a=1&b=2", "<a|1><b|2>"},
    {"b=2&a=1&b=3", "<b|2><a|1><b|3>"},
    {"a=b=c", "<a|b=c>"},
    {"a==", "<a|=>"},
    {"&", ""},
    {"&&a=1&&b&", "<a|1><b|>"},
    {"a=1;b=2", "<a|1;b=2>"},
    {"a=1?b", "<a|1?b>"},
    {"%61=%31&x=+", "<%61|%31><x|+>"},
};

Test(query, parameters)
{
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        size_t length = strlen(queries[i].query);
        char *copy = malloc(length > 0 ? length : 1); /* no byte behind the query is read */
        memcpy(copy, queries[i].query, length);
        struct span query = {.data = copy, .length = length};
        struct parameter p;
        char all[100] = "";
        size_t at = 0;
        while (query_next(&query, &p)) {
            at += (size_t)snprintf(all + at, sizeof all - at, "<%.*s|%.*s>", (int)p.name.length, p.name.data,
                                   (int)p.value.length, p.value.data);
        }
        cr_expect_str_eq(all, queries[i].parameters, "%s: %s", queries[i].query, all);
        cr_expect(!query_next(&query, &p));
        free(copy);
    }
}

static const struct {
    struct span value;
    ssize_t length;
    const char *decoded;
} values[] = {
    {SPAN_LITERAL(""), 0, ""},
    {SPAN_LITERAL("abc"), 3, "abc"},
    {SPAN_LITERAL("a+b"), 3, "a+b"},
    {SPAN_LITERAL("%41"), 1, "A"},
    {SPAN_LITERAL("a%20b%2Bc"), 5, "a b+c"},
    {SPAN_LITERAL("%2f%2F"), 2, "//"},
    {SPAN_LITERAL("%aF%Af"), 2, "\xaf\xaf"},
    {SPAN_LITERAL("%00%fF"), 2, "\0\xff"},
    {SPAN_LITERAL("%2541"), 3, "%41"}, /* once */
    {SPAN_LITERAL("%25"), 1, "%"},
    {SPAN_LITERAL("\xc3\xa9"), 2, "\xc3\xa9"},
    {SPAN_LITERAL("%"), -EINVAL, NULL},
    {SPAN_LITERAL("%4"), -EINVAL, NULL},
    {SPAN_LITERAL("abc%"), -EINVAL, NULL},
    {SPAN_LITERAL("abc%4"), -EINVAL, NULL},
    {SPAN_LITERAL("%%41"), -EINVAL, NULL},
    {SPAN_LITERAL("%4g"), -EINVAL, NULL},
    {SPAN_LITERAL("%g4"), -EINVAL, NULL},
    {SPAN_LITERAL("%/0"), -EINVAL, NULL},
    {SPAN_LITERAL("%:0"), -EINVAL, NULL},
    {SPAN_LITERAL("%@0"), -EINVAL, NULL},
    {SPAN_LITERAL("%`0"), -EINVAL, NULL},
    {SPAN_LITERAL("%\x01\x01"), -EINVAL, NULL},
    {SPAN_LITERAL("%\x10\x10"), -EINVAL, NULL},
    {SPAN_LITERAL("%-1"), -EINVAL, NULL},
    {SPAN_LITERAL("%+1"), -EINVAL, NULL},
    {SPAN_LITERAL("% 1"), -EINVAL, NULL},
    {SPAN_LITERAL("%0x"), -EINVAL, NULL},
    {SPAN_LITERAL("%u0041"), -EINVAL, NULL},
};

Test(query, decode)
{
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        size_t length = values[i].value.length;
        char *copy = malloc(length > 0 ? length : 1);
        char *out = malloc(length > 0 ? length : 1);
        memcpy(copy, values[i].value.data, length);
        ssize_t result = query_decode((struct span){.data = copy, .length = length}, out);
        cr_expect_eq(result, values[i].length, "%s: %zd", values[i].value.data, result);
        if (result >= 0) {
            cr_expect_arr_eq(out, values[i].decoded, (size_t)result, "%s", values[i].value.data);
        }
        free(out);
        free(copy);
    }
}

Test(query, decode_every_byte)
{
    for (int c = 0; c < 256; c++) {
        char text[4];
        char out[3];
        snprintf(text, sizeof text, "%%%02x", (unsigned)c);
        cr_expect_eq(query_decode((struct span){.data = text, .length = 3}, out), 1);
        cr_expect_eq((unsigned char)out[0], c);
    }
}
