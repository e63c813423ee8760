/* SPDX-License-Identifier: MIT */
/* Strings as RFC 8259, 7, wants them, from any bytes; UTF-8 (RFC 3629); base64 (RFC 4648). */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/json.h"

static struct scoreboard *scoreboard;

static struct json json_new(uint64_t limit)
{
    scoreboard = scoreboard_new(1, limit);
    return (struct json){.budget = {.scoreboard = scoreboard, .counters = &scoreboard->counters[0]}};
}

static void json_end(struct json *json)
{
    buffer_free(&json->text, json->budget);
    cr_expect_eq(atomic_load(&scoreboard->held), 0);
    scoreboard_free(scoreboard);
}

static void expect_text(struct json *json, const char *expected)
{
    struct span text = buffer_span(json->text);
    cr_expect(!json->failed);
    cr_expect(span_equal(text, (struct span){.data = expected, .length = strlen(expected)}),
              "%.*s instead of %s", (int)text.length, text.data, expected);
    json_end(json);
}

/* The text in a block of exactly its length. */
static void expect_written(void (*write)(struct json *, struct span), struct span text, const char *expected)
{
    char *copy = malloc(text.length > 0 ? text.length : 1);
    memcpy(copy, text.data, text.length);
    struct json json = json_new(1 << 20);
    write(&json, (struct span){.data = copy, .length = text.length});
    expect_text(&json, expected);
    free(copy);
}

static const struct {
    struct span text;
    const char *json;
} strings[] = {
    {SPAN_LITERAL(""), "\"\""},
    {SPAN_LITERAL("plain"), "\"plain\""},
    {SPAN_LITERAL("a\"b\\c/d"), "\"a\\\"b\\\\c/d\""},
    {SPAN_LITERAL("\n\r\t"), "\"\\n\\r\\t\""},
    {SPAN_LITERAL("a\0b"), "\"a\\u0000b\""},
    {SPAN_LITERAL("\x01\x1f"), "\"\\u0001\\u001f\""},
    {SPAN_LITERAL("\x1b[31m"), "\"\\u001b[31m\""},
    {SPAN_LITERAL("\x7f"), "\"\\u007f\""},
    {SPAN_LITERAL("<a href='x'>&"), "\"\\u003ca href='x'\\u003e\\u0026\""},
    {SPAN_LITERAL("\xc2\x80\xc2\x9f"), "\"\\u0080\\u009f\""},
    {SPAN_LITERAL("\xc2\xa0"), "\"\xc2\xa0\""},
    {SPAN_LITERAL("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
    /* no UTF-8: each such byte becomes the code point of its number */
    {SPAN_LITERAL("\xe9"), "\"\\u00e9\""},
    {SPAN_LITERAL("a\xff"
                  "b"),
     "\"a\\u00ffb\""},
    {SPAN_LITERAL("\x80"), "\"\\u0080\""},
    {SPAN_LITERAL("\xc3"), "\"\\u00c3\""},
    {SPAN_LITERAL("\xc3\""), "\"\\u00c3\\\"\""},
    {SPAN_LITERAL("\xe2\x82"), "\"\\u00e2\\u0082\""},
    {SPAN_LITERAL("\xc0\x80"), "\"\\u00c0\\u0080\""},
    {SPAN_LITERAL("\xed\xa0\x80"), "\"\\u00ed\\u00a0\\u0080\""},
    {SPAN_LITERAL("\xc3\xa9\xe9\xc3\xa9"), "\"\xc3\xa9\\u00e9\xc3\xa9\""},
};

Test(json, strings)
{
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
        expect_written(json_string, strings[i].text, strings[i].json);
    }
}

/* A part of all pairs, each byte in both places: nothing in a string's JSON is a control byte, and quotes and backslashes only escape. */
Test(json, any_two_bytes_make_a_string)
{
    for (int i = 0; i < 256 * 256; i += 37) {
        char pair[2] = {(char)(i >> 8), (char)i};
        struct json json = json_new(1 << 20);
        json_string(&json, (struct span){.data = pair, .length = 2});
        struct span text = buffer_span(json.text);
        cr_assert(!json.failed && json_utf8_valid(text));
        cr_assert(text.data[0] == '"' && text.data[text.length - 1] == '"');
        for (size_t j = 1; j < text.length - 1; j++) {
            unsigned char c = (unsigned char)text.data[j];
            cr_assert(c >= 0x20 && c != 0x7f && c != '"', "%d: %.*s", i, (int)text.length, text.data);
            if (c == '\\') {
                cr_assert_not_null(strchr("\"\\nrtu", text.data[++j]));
                cr_assert(j < text.length - 1);
            }
        }
        json_end(&json);
    }
}

static const struct {
    bool valid;
    struct span text;
} utf8[] = {
    {true, SPAN_LITERAL("")},
    {true, SPAN_LITERAL("\0\x7f")},
    {true, SPAN_LITERAL("\xc2\x80\xdf\xbf")},
    {true, SPAN_LITERAL("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf")},
    {true, SPAN_LITERAL("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf")},
    {false, SPAN_LITERAL("\x80")},
    {false, SPAN_LITERAL("\xbf")},
    {false, SPAN_LITERAL("a\xc3")},
    {false, SPAN_LITERAL("\xc3"
                         "a")},
    {false, SPAN_LITERAL("\xc3\xc3\xa9")},
    {false, SPAN_LITERAL("\xe2\x82")},
    {false, SPAN_LITERAL("\xe2\x82"
                         "a")},
    {false, SPAN_LITERAL("\xf0\x9f\x98")},
    {false, SPAN_LITERAL("\xc0\x80")}, /* longer than need be */
    {false, SPAN_LITERAL("\xc1\xbf")},
    {false, SPAN_LITERAL("\xe0\x80\x80")},
    {false, SPAN_LITERAL("\xe0\x9f\xbf")},
    {false, SPAN_LITERAL("\xf0\x80\x80\x80")},
    {false, SPAN_LITERAL("\xf0\x8f\xbf\xbf")},
    {false, SPAN_LITERAL("\xed\xa0\x80")}, /* surrogates */
    {false, SPAN_LITERAL("\xed\xbf\xbf")},
    {false, SPAN_LITERAL("\xf4\x90\x80\x80")}, /* behind the last code point */
    {false, SPAN_LITERAL("\xf5\x80\x80\x80")},
    {false, SPAN_LITERAL("\xf8\x88\x80\x80\x80")},
    {false, SPAN_LITERAL("\xfe")},
    {false, SPAN_LITERAL("\xff")},
};

Test(json, utf8)
{
    for (size_t i = 0; i < sizeof utf8 / sizeof utf8[0]; i++) {
        size_t length = utf8[i].text.length;
        char *copy = malloc(length > 0 ? length : 1);
        memcpy(copy, utf8[i].text.data, length);
        cr_expect_eq(json_utf8_valid((struct span){.data = copy, .length = length}), utf8[i].valid, "row %zu",
                     i);
        free(copy);
    }
}

static const struct {
    struct span bytes;
    const char *json;
} base64[] = {
    {SPAN_LITERAL(""), "\"\""}, /* RFC 4648, 10 */
    {SPAN_LITERAL("f"), "\"Zg==\""},
    {SPAN_LITERAL("fo"), "\"Zm8=\""},
    {SPAN_LITERAL("foo"), "\"Zm9v\""},
    {SPAN_LITERAL("foob"), "\"Zm9vYg==\""},
    {SPAN_LITERAL("fooba"), "\"Zm9vYmE=\""},
    {SPAN_LITERAL("foobar"), "\"Zm9vYmFy\""},
    {SPAN_LITERAL("\xfb\xff\xfe"), "\"+//+\""},
    {SPAN_LITERAL("\0\0\0\0"), "\"AAAAAA==\""},
    {SPAN_LITERAL("\xff\xff\xff\xff"), "\"/////w==\""},
    {SPAN_LITERAL(
         "\x00\x10\x83\x10\x51\x87\x20\x92\x8b\x30\xd3\x8f\x41\x14\x93\x51\x55\x97\x61\x96\x9b\x71\xd7\x9f"
         "\x82\x18\xa3\x92\x59\xa7\xa2\x9a\xab\xb2\xdb\xaf\xc3\x1c\xb3\xd3\x5d\xb7\xe3\x9e\xbb\xf3\xdf\xbf"),
     "\"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/\""},
};

Test(json, base64)
{
    for (size_t i = 0; i < sizeof base64 / sizeof base64[0]; i++) {
        expect_written(json_base64, base64[i].bytes, base64[i].json);
    }
}

Test(json, pieces)
{
    struct json json = json_new(1 << 20);
    json_raw(&json, SPAN_LITERAL("{"));
    json_text(&json, "a");
    json_raw(&json, SPAN_LITERAL(":"));
    json_number(&json, 0);
    json_raw(&json, SPAN_LITERAL(","));
    json_text(&json, "b");
    json_raw(&json, SPAN_LITERAL(":"));
    json_number(&json, UINT64_MAX);
    json_raw(&json, SPAN_LITERAL("}"));
    expect_text(&json, "{\"a\":0,\"b\":18446744073709551615}");
}

/* Once it has failed it stays so, and holds no more than the budget allows. */
Test(json, no_budget)
{
    static char text[4000];
    memset(text, 'a', sizeof text);
    struct json json = json_new(3000);
    json_string(&json, (struct span){.data = text, .length = 1000});
    cr_expect(!json.failed);
    json_string(&json, (struct span){.data = text, .length = sizeof text});
    cr_expect(json.failed);
    json_text(&json, "");
    json_number(&json, 1);
    json_base64(&json, SPAN_LITERAL("a"));
    cr_expect(json.failed);
    cr_expect_leq(atomic_load(&scoreboard->held), 3000);
    json_end(&json);
}
