/* SPDX-License-Identifier: MIT */
/* Chunk-size lines: read by bytes as whole, as a plain reading of the grammar says, and never as another size than
 * llhttp's. */
#include <stdlib.h>

#include "common/http/chunk_line.h"
#include "common/session/body.h"
#include "common/http/token.h"
#include "tests/fuzz/fuzz.h"

/* A plain reading: RFC 9112, 7.1 and 7.1.1, a rule for each function; each returns behind what it has read, or NULL. */

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t')) {
        p++;
    }
    return p;
}

static const char *skip_token(const char *p, const char *end)
{
    const char *behind = token_end(p, end);
    return behind > p ? behind : NULL;
}

static const char *skip_quoted(const char *p, const char *end)
{
    for (p++; p < end && *p != '"'; p++) {
        p += *p == '\\';
        unsigned char c = p < end ? (unsigned char)*p : 0;
        if ((c < ' ' && c != '\t') || c == 0x7f) {
            return NULL;
        }
    }
    return p < end ? p + 1 : NULL;
}

static const char *skip_extension(const char *p, const char *end)
{
    p = skip_blanks(p, end);
    if (p == end || *p != ';') {
        return NULL;
    }
    p = skip_token(skip_blanks(p + 1, end), end);
    const char *equals = p == NULL ? end : skip_blanks(p, end);
    if (equals == end || *equals != '=') {
        return p;
    }
    p = skip_blanks(equals + 1, end);
    return p < end && *p == '"' ? skip_quoted(p, end) : skip_token(p, end);
}

/* `end` is the line's CR. */
static bool plain_valid(const char *p, const char *end)
{
    const char *digits = p;
    while (p < end && strchr("0123456789abcdefABCDEF", *p) != NULL && *p != '\0') {
        p++;
    }
    if (p == digits) {
        return false;
    }
    while (digits < p && *digits == '0') {
        digits++;
    }
    if (p - digits > 16) {
        return false;
    }
    while (p != NULL && p < end) {
        p = skip_extension(p, end);
    }
    return p != NULL;
}

/* What llhttp takes for a chunk's size line at the start of the text; its length, or 0. */
static size_t llhttp_reads(const char *text, size_t size, uint64_t *chunk_size)
{
    static const char head[] = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    llhttp_t parser;
    llhttp_init(&parser, HTTP_REQUEST, &body_parser_settings);
    FUZZ_CHECK(llhttp_execute(&parser, head, sizeof head - 1) == HPE_PAUSED);
    llhttp_resume(&parser);
    if (llhttp_execute(&parser, text, size) != HPE_PAUSED) {
        return 0;
    }
    *chunk_size = parser.content_length;
    return (size_t)(llhttp_get_error_pos(&parser) - text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_copy(data, size);
    struct chunk_line line;
    size_t used = 0;
    chunk_line_init(&line);
    enum chunk_line_result result =
        chunk_line_read(&line, (struct span){.data = text, .length = size}, &used);
    FUZZ_CHECK(used <= size && (result != CHUNK_LINE_MORE || used == size));

    struct chunk_line other;
    enum chunk_line_result piece = CHUNK_LINE_MORE;
    size_t total = 0;
    chunk_line_init(&other);
    while (piece == CHUNK_LINE_MORE && total < size) {
        size_t one = 0;
        piece = chunk_line_read(&other, (struct span){.data = text + total, .length = 1}, &one);
        total += one;
    }
    FUZZ_CHECK(piece == result && total == used && other.size == line.size);

    const char *newline = memmem(text, size, "\r\n", 2);
    bool valid = newline != NULL && plain_valid(text, newline);
    FUZZ_CHECK((result == CHUNK_LINE_DONE) == valid);
    FUZZ_CHECK(!valid || used == (size_t)(newline + 2 - text));

    uint64_t chunk_size = 0;
    size_t length = llhttp_reads(text, size, &chunk_size);
    FUZZ_CHECK(length == 0 || !valid || (length == used && chunk_size == line.size));
    if (valid) {
        char normal[CHUNK_LINE_TEXT_SIZE];
        size_t normal_length = chunk_line_format(normal, line.size);
        FUZZ_CHECK(llhttp_reads(normal, normal_length, &chunk_size) == normal_length &&
                   chunk_size == line.size);
    }
    free(text);
    return 0;
}
