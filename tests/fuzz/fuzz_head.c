/* SPDX-License-Identifier: MIT */
/* Header sections: what head_read makes of one is held against a plain reading of its lines. */
#include <stdio.h>
#include <stdlib.h>

#include "common/http/authority.h"
#include "common/session/body.h"
#include "common/http/head.h"
#include "tests/fuzz/fuzz.h"

/* A plain reading: line by line, every name compared. */
struct plain {
    size_t hosts;
    size_t codings;
    bool bad_host;
    bool close;
};

static void read_plain(struct span fields, struct plain *plain)
{
    struct field field;
    while (field_next(&fields, &field)) {
        if (span_equal_nocase(field.name, SPAN_LITERAL("host"))) {
            plain->hosts++;
            plain->bad_host |= !authority_valid(field.value);
        } else if (span_equal_nocase(field.name, SPAN_LITERAL("transfer-encoding"))) {
            plain->codings++;
        } else if (span_equal_nocase(field.name, SPAN_LITERAL("connection"))) {
            plain->close |= span_equal_nocase(field.value, SPAN_LITERAL("close"));
        }
    }
}

static void check_read(const struct request *request, const llhttp_t *parser)
{
    struct plain plain = {0};
    read_plain(request->fields, &plain);
    FUZZ_CHECK(plain.hosts == 1 || (plain.hosts == 0 && request->minor_version == 0));
    FUZZ_CHECK(!plain.bad_host && (!plain.close || !request->keep_alive));
    FUZZ_CHECK(plain.codings == 0 || (request->framing == FRAMING_CHUNKED && request->minor_version == 1));
    FUZZ_CHECK((request->framing == FRAMING_CHUNKED) == ((parser->flags & F_CHUNKED) != 0));
    FUZZ_CHECK((request->framing == FRAMING_LENGTH) == ((parser->flags & F_CONTENT_LENGTH) != 0));
    FUZZ_CHECK(fuzz_within(request->content_type, request->fields) &&
               fuzz_within(request->host, request->fields));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    static const char lines[2][20] = {"GET / HTTP/1.0\r\n", "GET / HTTP/1.1\r\n"};
    size_t line = strlen(lines[0]);
    char *text = malloc(line + size - 1);
    if (text == NULL) {
        abort();
    }
    memcpy(text, lines[data[0] & 1], line);
    memcpy(text + line, data + 1, size - 1);
    llhttp_t parser;
    llhttp_init(&parser, HTTP_REQUEST, &body_parser_settings);
    if (llhttp_execute(&parser, text, line + size - 1) == HPE_PAUSED) {
        struct request request = {.host = SPAN_LITERAL(""), .minor_version = data[0] & 1};
        const char *end = NULL;
        struct parse_result result =
            head_read((struct span){.data = text + line, .length = size - 1}, &parser, &request, &end);
        FUZZ_CHECK(end == llhttp_get_error_pos(&parser));
        FUZZ_CHECK(result.status == STATUS_OK || result.detail[0] != '\0');
        if (result.status == STATUS_OK) {
            check_read(&request, &parser);
        }
    }
    free(text);
    return 0;
}
