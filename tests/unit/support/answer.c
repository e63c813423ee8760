/* SPDX-License-Identifier: MIT */
/* A strict reading of HTTP/1.1 answers, written apart from what it checks. */
#include "tests/unit/support/answer.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>

bool span_contains(struct span bytes, const char *text)
{
    return memmem(bytes.data, bytes.length, text, strlen(text)) != NULL;
}

/* A line without its CRLF, taken off `*bytes`. By memchr, of which AddressSanitizer checks only what it reads; of memmem it checks all
 * that is left. */
static bool line_next(struct span *bytes, struct span *line)
{
    const char *end = bytes->data + bytes->length;
    const char *at = bytes->data;
    while ((at = memchr(at, '\r', (size_t)(end - at))) != NULL && end - at >= 2) {
        if (at[1] == '\n') {
            *line = span_between(bytes->data, at);
            *bytes = span_between(at + 2, end);
            return true;
        }
        at++;
    }
    return false;
}

static const char *status_line_read(struct span line, struct answer *answer)
{
    const char *p = line.data;
    if (line.length < 13 || memcmp(p, "HTTP/1.1 ", 9) != 0 || !isdigit((unsigned char)p[9]) ||
        !isdigit((unsigned char)p[10]) || !isdigit((unsigned char)p[11]) || p[12] != ' ') {
        return "the status line is malformed";
    }
    answer->status = (unsigned)((p[9] - '0') * 100 + (p[10] - '0') * 10 + (p[11] - '0'));
    answer->reason = span_between(p + 13, p + line.length);
    return NULL;
}

static const char *fields_read(struct span *bytes, struct answer *answer)
{
    const char *begin = bytes->data;
    struct span line;
    while (line_next(bytes, &line)) {
        if (line.length == 0) {
            answer->fields = span_between(begin, line.data);
            return NULL;
        }
        const char *colon = memchr(line.data, ':', line.length);
        if (colon == NULL || colon == line.data) {
            return "a field line is malformed";
        }
        for (const char *p = line.data; p < line.data + line.length; p++) {
            if ((unsigned char)*p < ' ' && *p != '\t') {
                return "a field line has a control byte";
            }
            if (p < colon && *p == ' ') {
                return "a field name has a blank";
            }
        }
    }
    return "the head is cut off";
}

size_t answer_field(const struct answer *answer, const char *name, struct span *value)
{
    size_t count = 0;
    struct span rest = answer->fields;
    struct span line;
    size_t length = strlen(name);
    while (line_next(&rest, &line)) {
        if (line.length > length && line.data[length] == ':' && strncasecmp(line.data, name, length) == 0) {
            *value = span_trim(span_between(line.data + length + 1, line.data + line.length));
            count++;
        }
    }
    return count;
}

bool answer_has(const struct answer *answer, const char *name, const char *value)
{
    struct span found;
    return answer_field(answer, name, &found) == 1 &&
           span_equal(found, (struct span){.data = value, .length = strlen(value)});
}

static void body_take(struct span *bytes, struct answer *answer, size_t length)
{
    answer->complete = length <= bytes->length;
    answer->body = (struct span){.data = bytes->data, .length = answer->complete ? length : bytes->length};
    *bytes = span_between(bytes->data + answer->body.length, bytes->data + bytes->length);
}

static const char *chunked_take(struct span *bytes, struct answer *answer)
{
    struct span rest = *bytes;
    struct span line;
    while (line_next(&rest, &line)) {
        char *end = NULL;
        size_t size = strtoul(line.data, &end, 16);
        if (end != line.data + line.length || line.length == 0 || !isxdigit((unsigned char)line.data[0])) {
            return "a chunk size is malformed";
        }
        if (size > rest.length || rest.length - size < 2) {
            break;
        }
        if (memcmp(rest.data + size, "\r\n", 2) != 0) {
            return "a chunk does not end in CRLF";
        }
        rest = span_between(rest.data + size + 2, rest.data + rest.length);
        if (size == 0) {
            body_take(bytes, answer, (size_t)(rest.data - bytes->data));
            return NULL;
        }
    }
    body_take(bytes, answer, bytes->length);
    answer->complete = false;
    return NULL;
}

const char *answer_next(struct span *bytes, bool to_head, struct answer *answer)
{
    *answer = (struct answer){.complete = true, .body = {.data = bytes->data, .length = 0}};
    struct span line;
    struct span length;
    struct span coding;
    if (!line_next(bytes, &line)) {
        return "there is no status line";
    }
    const char *wrong = status_line_read(line, answer);
    if (wrong == NULL) {
        wrong = fields_read(bytes, answer);
    }
    if (wrong != NULL) {
        return wrong;
    }
    size_t lengths = answer_field(answer, "Content-Length", &length);
    size_t codings = answer_field(answer, "Transfer-Encoding", &coding);
    bool bodiless = answer->status < 200 || answer->status == 204 || answer->status == 304;
    if (bodiless ? lengths + codings > 0 : lengths + codings != 1) {
        return "the framing fields are wrong";
    }
    if (codings > 0 && !span_equal(coding, SPAN_LITERAL("chunked"))) {
        return "an unknown transfer coding";
    }
    answer->body.data = bytes->data;
    if (bodiless || to_head) {
        return NULL;
    }
    if (codings > 0) {
        return chunked_take(bytes, answer);
    }
    body_take(bytes, answer, strtoul(length.data, NULL, 10));
    return NULL;
}
