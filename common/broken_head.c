/* SPDX-License-Identifier: MIT */
/* What to answer to a head that is no good, as soon as its bytes tell and no sooner. */
#include "common/broken_head.h"

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

void broken_head_fail(struct turn *t, struct span head, struct verdict verdict)
{
    broken_head_exchange(t, head);
    exchange_fail(t, verdict.status, "%s", verdict.detail);
}

size_t broken_head_line(struct turn *t, const char *data, size_t length)
{
    struct session *s = t->session;
    size_t most = t->lane->service->max_header_size;
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

size_t broken_head_incomplete(struct turn *t, const char *data, size_t length, size_t seen, bool refused)
{
    struct session *s = t->session;
    struct span head = {.data = data, .length = seen};
    if (!s->line_read) {
        const char *newline = memchr(data + s->head_fed, '\n', seen - s->head_fed);
        if (newline != NULL) {
            struct request ignored;
            size_t line;
            struct verdict verdict =
                request_line_read(span_between(data, newline + 1), false, &ignored, &line);
            if (verdict.status != STATUS_OK) {
                broken_head_fail(t, head, verdict);
                return length;
            }
            s->line_read = true;
        }
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
    if (seen == t->lane->service->max_header_size) {
        head_too_large(t, head);
        return length;
    }
    return 0;
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
