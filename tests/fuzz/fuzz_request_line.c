/* SPDX-License-Identifier: MIT */
/* Request lines: a result once found holds for every longer prefix, and both ways of reading a line agree. */
#include <stdlib.h>

#include "common/http/authority.h"
#include "common/session/body.h"
#include "common/http/request_line.h"
#include "tests/fuzz/fuzz.h"

static void check_request(const struct request *request, struct span line)
{
    FUZZ_CHECK(fuzz_within(request->target, line) && fuzz_within(request->host, line) &&
               fuzz_within(request->query, line));
    FUZZ_CHECK(request->path.length > 0 && (request->path.data[0] == '/' || request->path.data[0] == '*'));
    FUZZ_CHECK(request->host.length == 0 || authority_valid(request->host));
    FUZZ_CHECK(request->minor_version <= 1);
    for (size_t i = 0; i < request->target.length; i++) {
        unsigned char c = (unsigned char)request->target.data[i];
        FUZZ_CHECK(c > ' ' && c < 0x7f && c != '#');
    }
}

/* There is a detail, or a byte of what was read. */
static void check_explained(const char *text, size_t length, struct parse_result result)
{
    size_t offset = length;
    if (result.detail == NULL) {
        request_line_bad_byte((struct span){.data = text, .length = length}, &offset);
        FUZZ_CHECK(result.status == STATUS_BAD_REQUEST && offset < length);
    } else {
        FUZZ_CHECK(result.status == 0 || result.status == STATUS_OK || result.detail[0] != '\0');
    }
}

/* llhttp has taken the whole line. */
static void check_taken(const char *text, size_t size)
{
    const char *newline = memchr(text, '\n', size);
    struct request slow;
    struct request fast;
    size_t line = 0;
    if (newline == NULL) {
        return;
    }
    struct span whole = span_between(text, newline + 1);
    struct parse_result result = request_line_read(whole, false, &slow, &line);
    FUZZ_CHECK(result.status != 0);
    check_explained(text, whole.length, result);
    if (result.status == STATUS_OK) {
        FUZZ_CHECK(line == whole.length);
        check_request(&slow, whole);
    }
    /* The usual reading sees only what ends in an empty line. */
    bool ends = memmem(text, size, "\r\n\r\n", 4) != NULL;
    size_t length = ends ? request_line_read_usual((struct span){.data = text, .length = size}, &fast) : 0;
    if (length > 0) {
        FUZZ_CHECK(result.status == STATUS_OK && length == line);
        FUZZ_CHECK(fast.method == slow.method && fast.minor_version == slow.minor_version);
        FUZZ_CHECK(span_equal(fast.path, slow.path) && span_equal(fast.query, slow.query) &&
                   span_equal(fast.target, slow.target) && span_equal(fast.host, slow.host));
    }
}

/* llhttp has refused the byte at `refused`: which answer is right may show behind it, but then stays right. */
static void check_refused(const char *text, size_t size, size_t refused)
{
    unsigned status = 0;
    for (size_t length = refused + 1; length <= size; length++) {
        struct request request;
        size_t line = 0;
        struct parse_result result =
            request_line_read((struct span){.data = text, .length = length}, true, &request, &line);
        FUZZ_CHECK(status == 0 || result.status == status, ": %u, then %u", status, result.status);
        FUZZ_CHECK(result.status != STATUS_OK, ": a line that llhttp refuses");
        check_explained(text, length, result);
        status = result.status;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_copy(data, size);
    const char *newline = memchr(text, '\n', size);
    llhttp_t parser;
    llhttp_init(&parser, HTTP_REQUEST, &body_parser_settings);
    llhttp_errno_t error = llhttp_execute(&parser, text, size);
    bool refused = error != HPE_OK && error != HPE_PAUSED;
    const char *at = refused ? llhttp_get_error_pos(&parser) : text + size;
    if (newline != NULL && newline < at && text[0] != '\r' && text[0] != '\n') {
        check_taken(text, (size_t)(refused ? at - text : (ptrdiff_t)size));
    } else if (refused && at < text + size) {
        check_refused(text, size, (size_t)(at - text));
    }
    free(text);
    return 0;
}
