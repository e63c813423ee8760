/* SPDX-License-Identifier: MIT */
/* From a response to its bytes. */
#include "common/session/exchange/response.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "common/base/number.h"

void response_deinit(struct response *response)
{
    buffer_free(&response->fields, response->budget);
    buffer_free(&response->content, response->budget);
}

void response_problem(struct response *response, unsigned status, const char *detail, ...)
{
    char sentence[128];
    va_list arguments;
    va_start(arguments, detail);
    vsnprintf(sentence, sizeof sentence, detail, arguments);
    va_end(arguments);
    for (char *p = sentence; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\' || *p < ' ' || *p > '~') {
            *p = '\'';
        }
    }
    int length = snprintf(response->store, sizeof response->store,
                          "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%u,\"detail\":\"%s\"}\n",
                          status_reason(status), status, sentence);
    response->status = status;
    response->body = CONTENT_TEXT;
    response->text = (struct span){.data = response->store, .length = (size_t)length};
    response->content_type = SPAN_LITERAL("application/problem+json");
    response->problem = true;
    response->sandbox = false;
    response->abort = ABORT_NOT;
    response->faults = 0;
    buffer_free(&response->fields, response->budget);
    buffer_free(&response->content, response->budget);
}

static COLD struct delimiting without_body(const struct response *response)
{
    /* RFC 9110, 15.3.6: a 205 is delimited, the others have no field. */
    return (struct delimiting){.framing =
                                   response->status == STATUS_RESET_CONTENT ? FRAMING_LENGTH : FRAMING_NONE};
}

static COLD struct delimiting streamed(const struct response *response, const struct request *request)
{
    struct delimiting d = {.framing = FRAMING_LENGTH, .body = request->method != HTTP_HEAD};
    if (response->body == CONTENT_ECHO) {
        d.framing = request->framing == FRAMING_CHUNKED ? FRAMING_CHUNKED : FRAMING_LENGTH;
        d.length = request->content_length;
    } else if (response->body == CONTENT_EVENTS) {
        d.framing = request->minor_version > 0 ? FRAMING_CHUNKED : FRAMING_NONE;
    } else {
        d.length = response->length;
    }
    return d;
}

static ALWAYS_INLINE struct delimiting response_delimiting(const struct response *response,
                                                           const struct request *request)
{
    switch (response->status) {
    case STATUS_NO_CONTENT:
    case STATUS_NOT_MODIFIED:
    case STATUS_RESET_CONTENT: return without_body(response);
    default: break;
    }
    if (response->body != CONTENT_TEXT) {
        return streamed(response, request);
    }
    return (struct delimiting){.framing = FRAMING_LENGTH,
                               .body = request->method != HTTP_HEAD,
                               .length = response_text(response).length};
}

/* The fixed texts of a head and its numbers fit in this; what else it has is counted. */
enum { HEAD_ROOM = 512 };

static COLD char *put_other_status_line(char *at, unsigned status)
{
    const char *reason = status_reason(status);
    at = PUT_LITERAL(at, "HTTP/1.1 ");
    at += number_format_u64(at, status);
    *at++ = ' ';
    at = span_copy(at, (struct span){.data = reason, .length = strlen(reason)});
    return PUT_LITERAL(at, "\r\nServer: echod\r\nDate: ");
}

static ALWAYS_INLINE char *put_status_line(char *at, unsigned status)
{
    return status == STATUS_OK ? PUT_LITERAL(at, "HTTP/1.1 200 OK\r\nServer: echod\r\nDate: ")
                               : put_other_status_line(at, status);
}

static ALWAYS_INLINE char *put_delimiting(char *at, struct delimiting d)
{
    switch ((enum framing)d.framing) {
    case FRAMING_NONE: break;
    case FRAMING_LENGTH:
        at = PUT_LITERAL(at, "\r\nContent-Length: ");
        at += number_format_u64(at, d.length);
        break;
    case FRAMING_CHUNKED: at = PUT_LITERAL(at, "\r\nTransfer-Encoding: chunked"); break;
    }
    return at;
}

static COLD char *put_rare_fields(char *at, const struct response *response)
{
    if (response->sandbox || response->nosniff) {
        at = PUT_LITERAL(at, "\r\nX-Content-Type-Options: nosniff");
    }
    if (response->sandbox) {
        at = PUT_LITERAL(at, "\r\nContent-Security-Policy: sandbox");
    }
    if (response->allow.length > 0) {
        at = PUT_LITERAL(at, "\r\nAllow: ");
        at = span_copy(at, response->allow);
    }
    if (response->retry_after) {
        at = PUT_LITERAL(at, "\r\nRetry-After: 1");
    }
    return at;
}

static bool has_field(struct span lines, struct span name)
{
    struct field field;
    while (field_next(&lines, &field)) {
        if (span_equal_nocase(field.name, name)) {
            return true;
        }
    }
    return false;
}

/* Fields that the request asked for replace common fields of the same name. */
static COLD char *put_further_fields(char *at, const struct response *response)
{
    struct span asked = buffer_span(response->fields);
    struct span lines = response->extra;
    struct field field;
    if (asked.length == 0) {
        return span_copy(at, lines);
    }
    for (const char *line = lines.data; field_next(&lines, &field); line = lines.data) {
        if (!has_field(asked, field.name)) {
            at = span_copy(at, span_between(line, lines.data));
        }
    }
    return span_copy(at, asked);
}

/* The Connection field, if there is one, and the empty line. */
static ALWAYS_INLINE char *put_end(char *at, const struct response *response, const struct request *request)
{
    if (unlikely(response->close)) {
        return PUT_LITERAL(at, "Connection: close\r\n\r\n");
    }
    return unlikely(request->minor_version == 0) ? PUT_LITERAL(at, "Connection: keep-alive\r\n\r\n")
                                                 : PUT_LITERAL(at, "\r\n");
}

struct delimiting response_write_head(struct output *output, const struct response *response,
                                      const struct request *request, const char *date)
{
    struct delimiting d = response_delimiting(response, request);
    size_t further = response->extra.length + buffer_length(response->fields);
    char *head =
        output_reserve(output, HEAD_ROOM + response->content_type.length + response->allow.length + further);
    if (head == NULL) {
        return d;
    }
    char *at = put_status_line(head, response->status);
    memcpy(at, date, CLOCK_DATE_LENGTH);
    at += CLOCK_DATE_LENGTH;
    if (response->content_type.length > 0 && response->status != STATUS_NO_CONTENT) {
        at = PUT_LITERAL(at, "\r\nContent-Type: ");
        at = span_copy(at, response->content_type);
    }
    if (response->sandbox || response->nosniff || response->retry_after || response->allow.length > 0) {
        at = put_rare_fields(at, response);
    }
    at = put_delimiting(at, d);
    at = PUT_LITERAL(at, "\r\n");
    if (unlikely(further > 0)) {
        at = put_further_fields(at, response);
    }
    at = put_end(at, response, request);
    output_advance(output, (size_t)(at - head));
    return d;
}
