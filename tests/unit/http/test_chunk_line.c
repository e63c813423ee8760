/* SPDX-License-Identifier: MIT */
/* Chunk-size lines: each alone and at every split, in blocks of exactly their size. The conformance documents have
 * more. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "common/http/chunk_line.h"

#define GOOD(text, size)                                                     \
    {                                                                        \
        SPAN_LITERAL(text "\r\n"), CHUNK_LINE_DONE, (size), sizeof(text) + 1 \
    }
#define BAD(text, result)                                                \
    {                                                                    \
        SPAN_LITERAL(text), CHUNK_LINE_BAD_##result, 0, sizeof(text) - 1 \
    }
#define ENDLESS(text)                                            \
    {                                                            \
        SPAN_LITERAL(text), CHUNK_LINE_MORE, 0, sizeof(text) - 1 \
    }

/* A bad line is refused at its last byte here. */
static const struct {
    struct span text;
    enum chunk_line_result result;
    uint64_t size;
    size_t used;
} cases[] = {
    GOOD("0", 0),
    GOOD("5", 5),
    GOOD("000aF", 0xaf),
    GOOD("ffffffffffffffff", UINT64_MAX),
    GOOD("0000000000000000000000ffffffffffffffff", UINT64_MAX),
    GOOD("5;a", 5),
    GOOD("5;a=b", 5),
    GOOD("5;a=\"\"", 5),
    GOOD("5 \t;\t a \t= \tb \t; c;d=\"e\\\"\\\\; \t=\xff\" ;f", 5),
    GOOD("5;f=f", 5),
    ENDLESS(""),
    ENDLESS("5"),
    ENDLESS("5 "),
    ENDLESS("5;a=\"b"),
    ENDLESS("5;a\r"),
    BAD("\r", SIZE),
    BAD(" ", SIZE),
    BAD(";", SIZE),
    BAD("g", SIZE),
    BAD("+", SIZE),
    BAD("0x", SIZE),
    BAD("5\n", SIZE),
    BAD("5\0", SIZE),
    BAD("5\v", SIZE),
    BAD("5=", SIZE),
    BAD("5 \r", SIZE),
    BAD("5 5", SIZE),
    BAD("5\ta", SIZE),
    BAD("10000000000000000", SIZE),
    BAD("fffffffffffffffff", SIZE),
    BAD("5;\r", EXTENSION),
    BAD("5;;", EXTENSION),
    BAD("5;=", EXTENSION),
    BAD("5;\"", EXTENSION),
    BAD("5; \r", EXTENSION),
    BAD("5;a \r", EXTENSION),
    BAD("5;a b", EXTENSION),
    BAD("5;a\"", EXTENSION),
    BAD("5;a\n", EXTENSION),
    BAD("5;a=\r", EXTENSION),
    BAD("5;a=;", EXTENSION),
    BAD("5;a= \r", EXTENSION),
    BAD("5;a==", EXTENSION),
    BAD("5;a=b=", EXTENSION),
    BAD("5;a=b\"", EXTENSION),
    BAD("5;a=b c", EXTENSION),
    BAD("5;a=b \r", EXTENSION),
    BAD("5;a=\xe9", EXTENSION),
    BAD("5;a=\"\r", EXTENSION),
    BAD("5;a=\"\n", EXTENSION),
    BAD("5;a=\"\0", EXTENSION),
    BAD("5;a=\"\x7f", EXTENSION),
    BAD("5;a=\"\\\r", EXTENSION),
    BAD("5;a=\"b\"c", EXTENSION),
    BAD("5;a=\"b\" \r", EXTENSION),
    BAD("5;a=\"b\"=", EXTENSION),
    BAD("5\r\r", END),
    BAD("5\rx", END),
    BAD("5;a\rx", END),
};

/* What `length` bytes of a text make of the line; 0 with the total in `*used` while it goes on. */
static enum chunk_line_result read_copy(struct chunk_line *line, const char *data, size_t length,
                                        size_t *used)
{
    char *copy = malloc(length > 0 ? length : 1);
    size_t taken = 0;
    memcpy(copy, data, length);
    enum chunk_line_result result =
        chunk_line_read(line, (struct span){.data = copy, .length = length}, &taken);
    free(copy);
    *used += taken;
    return result;
}

Test(chunk_line, every_split)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct span text = cases[i].text;
        for (size_t split = 0; split <= text.length; split++) {
            struct chunk_line line;
            size_t used = 0;
            chunk_line_init(&line);
            enum chunk_line_result result = read_copy(&line, text.data, split, &used);
            if (result == CHUNK_LINE_MORE) {
                cr_expect_eq(used, split);
                result = read_copy(&line, text.data + split, text.length - split, &used);
            }
            cr_expect(result == cases[i].result && used == cases[i].used, "row %zu, %s, at %zu: %d after %zu",
                      i, text.data, split, result, used);
            cr_expect(result != CHUNK_LINE_DONE || line.size == cases[i].size, "row %zu", i);
        }
    }
}

/* What is behind the line is not touched. */
Test(chunk_line, stops_at_its_end)
{
    struct chunk_line line;
    size_t used = 0;
    chunk_line_init(&line);
    cr_expect_eq(chunk_line_read(&line, SPAN_LITERAL("5;a\r\nhello"), &used), CHUNK_LINE_DONE);
    cr_expect_eq(used, 5);
}

Test(chunk_line, format)
{
    char out[CHUNK_LINE_TEXT_SIZE];
    cr_expect(
        span_equal((struct span){.data = out, .length = chunk_line_format(out, 0)}, SPAN_LITERAL("0\r\n")));
    cr_expect(span_equal((struct span){.data = out, .length = chunk_line_format(out, UINT64_MAX)},
                         SPAN_LITERAL("ffffffffffffffff\r\n")));
}
