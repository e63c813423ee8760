/* SPDX-License-Identifier: MIT */
/* Answers malformed and too large heads with the right error, as soon as the bytes determine it and not before. */
#include "common/session/bad_head.h"

#include <string.h>

#include "common/base/trace.h"
#include "common/session/body.h"

enum { EMPTY_LINES_MAX = 8 }; /* before a request (RFC 9112, 2.2) */

void bad_head_exchange(struct pass *pass, struct span head)
{
    if (pass->exchange == NULL) {
        TRACE_REQUEST(pass->session->number, head);
        exchange_init(pass);
    }
    bool head_method = head.length >= 5 && memcmp(head.data, "HEAD ", 5) == 0;
    pass->exchange->request.method = head_method ? HTTP_HEAD : HTTP_GET;
    pass->exchange->request.minor_version = 1;
    pass->exchange->bad_head = head;
}

static void fail_target(struct pass *pass, struct span head)
{
    size_t offset;
    unsigned byte = request_line_bad_byte(head, &offset);
    if (byte == '\r' || byte == '\n') {
        exchange_fail(
            pass, STATUS_BAD_REQUEST,
            "The request target ends with byte 0x%02X at offset %zu: a space and HTTP/1.1 must follow it.",
            byte, offset);
    } else {
        exchange_fail(pass, STATUS_BAD_REQUEST,
                      "The request target has byte 0x%02X at offset %zu: it must be written as %%%02X.", byte,
                      offset, byte);
    }
}

void bad_head_fail(struct pass *pass, struct span head, struct parse_result result)
{
    bad_head_exchange(pass, head);
    if (result.detail == NULL) {
        fail_target(pass, head);
    } else {
        exchange_fail(pass, result.status, "%s", result.detail);
    }
}

size_t bad_head_line(struct pass *pass, const char *data, size_t length)
{
    struct session *s = pass->session;
    size_t most = pass->context->service->max_header_size;
    struct request ignored;
    size_t line;
    while (s->head_fed <= length) {
        struct span prefix = {.data = data, .length = s->head_fed};
        struct parse_result result = request_line_read(prefix, true, &ignored, &line);
        if (result.status == 0 && s->head_fed == most) {
            result = (struct parse_result){STATUS_URI_TOO_LONG, "The request line is too long."};
        }
        if (result.status != 0) {
            bad_head_fail(pass, prefix, result);
            return length;
        }
        s->head_fed++;
    }
    return 0;
}

static void head_too_large(struct pass *pass, struct span head)
{
    bad_head_fail(pass, head,
                  pass->session->line_read
                      ? (struct parse_result){STATUS_REQUEST_HEADER_FIELDS_TOO_LARGE,
                                              "The header section is too large."}
                      : (struct parse_result){STATUS_URI_TOO_LONG, "The request line is too long."});
}

/* Judges the request line, if it has just come to its end. */
static struct parse_result judge_line(struct session *s, const char *data, size_t seen)
{
    struct parse_result result = {STATUS_OK, ""};
    const char *newline = s->line_read ? NULL : memchr(data + s->head_fed, '\n', seen - s->head_fed);
    if (newline != NULL) {
        struct request ignored;
        size_t line;
        result = request_line_read(span_between(data, newline + 1), false, &ignored, &line);
        s->line_read = result.status == STATUS_OK;
    }
    return result;
}

size_t bad_head_incomplete(struct pass *pass, const char *data, size_t length, size_t seen, bool refused)
{
    struct session *s = pass->session;
    struct span head = {.data = data, .length = seen};
    struct parse_result result = judge_line(s, data, seen);
    if (result.status != STATUS_OK) {
        bad_head_fail(pass, head, result);
        return length;
    }
    s->head_fed = (uint32_t)seen;
    if (refused && !s->line_read) {
        session_set_state(s, STATE_REFUSED_LINE);
        return bad_head_line(pass, data, length);
    }
    if (refused) {
        bad_head_exchange(pass, head);
        exchange_fail(pass, STATUS_BAD_REQUEST, "The header section is malformed: %s.",
                      llhttp_get_error_reason(pass->parser));
        return length;
    }
    if (seen == pass->context->service->max_header_size) {
        head_too_large(pass, head);
        return length;
    }
    return 0;
}

size_t bad_head_refused_end(const llhttp_t *parser, const char *data, size_t length)
{
    size_t end = (size_t)(llhttp_get_error_pos(parser) - data);
    bool refused_before = strcmp(llhttp_get_error_reason(parser), "Double @ in url") == 0;
    return refused_before || end == length ? end : end + 1;
}

/* llhttp cannot continue after an error. So the parser starts again, with the bytes before the tab and a space in place
 * of the tab. After these it accepts only blanks or the end of the line. This happens at most once for each head,
 * because llhttp refuses a second Content-Length. */
bool bad_head_blanks_begin(struct pass *pass, const char *data, size_t seen)
{
    struct session *s = pass->session;
    if (llhttp_get_errno(pass->parser) != HPE_INVALID_CONTENT_LENGTH || data[seen - 1] != '\t' ||
        judge_line(s, data, seen).status != STATUS_OK) {
        return false;
    }
    llhttp_init(pass->parser, HTTP_REQUEST, &body_parser_settings);
    if (llhttp_execute(pass->parser, data, seen - 1) != HPE_OK ||
        llhttp_execute(pass->parser, " ", 1) != HPE_OK) {
        return false; /* a length that is too large is refused at the byte behind it */
    }
    s->head_fed = (uint32_t)seen;
    s->head_blanks = true;
    return true;
}

void bad_head_blanks_skip(struct pass *pass, const char *data, size_t length)
{
    struct session *s = pass->session;
    size_t most = pass->context->service->max_header_size;
    size_t have = length < most ? length : most;
    while (s->head_blanks && s->head_fed < have) {
        s->head_blanks = data[s->head_fed] == ' ' || data[s->head_fed] == '\t';
        s->head_fed += s->head_blanks;
    }
}

size_t bad_head_empty_line(struct pass *pass, const char *data, size_t length)
{
    struct session *s = pass->session;
    if (data[0] == '\n' || (length > 1 && data[1] != '\n')) {
        bad_head_fail(pass, SPAN_LITERAL(""),
                      (struct parse_result){STATUS_BAD_REQUEST, "A line must end in CRLF."});
        return length;
    }
    if (length == 1) {
        return 0;
    }
    if (++s->empty_lines > EMPTY_LINES_MAX) {
        bad_head_fail(pass, SPAN_LITERAL(""),
                      (struct parse_result){STATUS_BAD_REQUEST, "Too many empty lines before the request."});
        return length;
    }
    return 2;
}
