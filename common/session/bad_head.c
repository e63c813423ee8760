/* SPDX-License-Identifier: MIT */
/* What to answer to a head that is no good, as soon as its bytes tell and no sooner. */
#include "common/session/bad_head.h"

#include <string.h>

enum { EMPTY_LINES_MOST = 8 }; /* before a request (RFC 9112, 2.2) */

void broken_head_exchange(struct turn *t, struct span head)
{
    if (t->exchange == NULL) {
        exchange_init(t);
    }
    bool head_method = head.length >= 5 && memcmp(head.data, "HEAD ", 5) == 0;
    t->exchange->request.method = head_method ? HTTP_HEAD : HTTP_GET;
    t->exchange->request.minor_version = 1;
    t->exchange->request.target = head;
}

static void fail_target(struct turn *t, struct span head)
{
    size_t offset;
    unsigned byte = request_line_bad_byte(head, &offset);
    if (byte == '\r' || byte == '\n') {
        exchange_fail(
            t, STATUS_BAD_REQUEST,
            "The request target ends with byte 0x%02X at offset %zu: a space and HTTP/1.1 must follow it.",
            byte, offset);
    } else {
        exchange_fail(t, STATUS_BAD_REQUEST,
                      "The request target has byte 0x%02X at offset %zu: it must be written as %%%02X.", byte,
                      offset, byte);
    }
}

void broken_head_fail(struct turn *t, struct span head, struct verdict verdict)
{
    broken_head_exchange(t, head);
    if (verdict.detail == NULL) {
        fail_target(t, head);
    } else {
        exchange_fail(t, verdict.status, "%s", verdict.detail);
    }
}

size_t broken_head_line(struct turn *t, const char *data, size_t length)
{
    struct session *s = t->session;
    size_t most = t->context->service->max_header_size;
    struct request ignored;
    size_t line;
    while (s->head_fed <= length) {
        struct span prefix = {.data = data, .length = s->head_fed};
        struct verdict verdict = request_line_read(prefix, true, &ignored, &line);
        if (verdict.status == 0 && s->head_fed == most) {
            verdict = (struct verdict){STATUS_URI_TOO_LONG, "The request line is too long."};
        }
        if (verdict.status != 0) {
            broken_head_fail(t, prefix, verdict);
            return length;
        }
        s->head_fed++;
    }
    return 0;
}

static void head_too_large(struct turn *t, struct span head)
{
    broken_head_fail(
        t, head,
        t->session->line_read
            ? (struct verdict){STATUS_REQUEST_HEADER_FIELDS_TOO_LARGE, "The header section is too large."}
            : (struct verdict){STATUS_URI_TOO_LONG, "The request line is too long."});
}

/* Judges the request line, if it has just come to its end. */
static struct verdict judge_line(struct session *s, const char *data, size_t seen)
{
    struct verdict verdict = {STATUS_OK, ""};
    const char *newline = s->line_read ? NULL : memchr(data + s->head_fed, '\n', seen - s->head_fed);
    if (newline != NULL) {
        struct request ignored;
        size_t line;
        verdict = request_line_read(span_between(data, newline + 1), false, &ignored, &line);
        s->line_read = verdict.status == STATUS_OK;
    }
    return verdict;
}

size_t broken_head_incomplete(struct turn *t, const char *data, size_t length, size_t seen, bool refused)
{
    struct session *s = t->session;
    struct span head = {.data = data, .length = seen};
    struct verdict verdict = judge_line(s, data, seen);
    if (verdict.status != STATUS_OK) {
        broken_head_fail(t, head, verdict);
        return length;
    }
    s->head_fed = (uint32_t)seen;
    if (refused && !s->line_read) {
        session_set_state(s, STATE_REFUSED_LINE);
        return broken_head_line(t, data, length);
    }
    if (refused) {
        broken_head_exchange(t, head);
        exchange_fail(t, STATUS_BAD_REQUEST, "The header section is malformed: %s.",
                      llhttp_get_error_reason(t->parser));
        return length;
    }
    if (seen == t->context->service->max_header_size) {
        head_too_large(t, head);
        return length;
    }
    return 0;
}

/* A parser cannot go on behind an error. Another one gets the bytes up to the tab, and a space instead of it: then
 * blanks or the line's end may follow, and nothing else. Once for each head: llhttp refuses a second Content-Length. */
bool broken_head_blanks_begin(struct turn *t, const char *data, size_t seen)
{
    struct session *s = t->session;
    if (llhttp_get_errno(t->parser) != HPE_INVALID_CONTENT_LENGTH || data[seen - 1] != '\t' ||
        judge_line(s, data, seen).status != STATUS_OK) {
        return false;
    }
    llhttp_init(t->parser, HTTP_REQUEST, &body_parser_settings);
    if (llhttp_execute(t->parser, data, seen - 1) != HPE_OK || llhttp_execute(t->parser, " ", 1) != HPE_OK) {
        return false; /* a length that is too large is refused at the byte behind it */
    }
    s->head_fed = (uint32_t)seen;
    s->head_blanks = true;
    return true;
}

void broken_head_blanks_skip(struct turn *t, const char *data, size_t length)
{
    struct session *s = t->session;
    size_t most = t->context->service->max_header_size;
    size_t have = length < most ? length : most;
    while (s->head_blanks && s->head_fed < have) {
        s->head_blanks = data[s->head_fed] == ' ' || data[s->head_fed] == '\t';
        s->head_fed += s->head_blanks;
    }
}

size_t broken_head_empty_line(struct turn *t, const char *data, size_t length)
{
    struct session *s = t->session;
    if (data[0] == '\n' || (length > 1 && data[1] != '\n')) {
        broken_head_fail(t, SPAN_LITERAL(""), (struct verdict){STATUS_BAD_REQUEST, "A line ends in CRLF."});
        return length;
    }
    if (length == 1) {
        return 0;
    }
    if (++s->empty_lines > EMPTY_LINES_MOST) {
        broken_head_fail(t, SPAN_LITERAL(""),
                         (struct verdict){STATUS_BAD_REQUEST, "There are too many empty lines."});
        return length;
    }
    return 2;
}
