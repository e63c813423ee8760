/* SPDX-License-Identifier: MIT */
/* Bodies: of known length, counted; chunked, read by chunk_line.h and llhttp in slices that end where a limit is, so
 * that the outcome depends on the bytes and not on how they were split. */
#include <assert.h>
#include <stdlib.h>

#include "common/session/body.h"

enum {
    CHUNK_LINE_MAX = 4096, /* with its CRLF: no extension is of any use to us */
    CRLF_LENGTH = 2,       /* behind the chunk before */
    CHUNK_LINE_ROOM = CHUNK_LINE_MAX + CRLF_LENGTH,
    FRAMING_OVERHEAD_MAX =
        64 * 1024, /* plus a quarter of the data: tiny chunks cost us more than the client */
};

static size_t least(size_t a, uint64_t b)
{
    return a < b ? a : (size_t)b;
}

static int on_headers_complete(llhttp_t *parser)
{
    parser->upgrade = 0; /* ignored, as RFC 9110, 7.8 allows */
    return HPE_PAUSED;
}

static int on_chunk_header(llhttp_t *parser)
{
    if (parser->content_length == 0) {
        parser->flags = 0; /* what stands in trailers must not frame (RFC 9110, 6.5.1) */
    }
    return HPE_PAUSED;
}

static int on_body(llhttp_t *parser, const char *data, size_t length)
{
    struct pass *pass = parser->data;
    exchange_body(pass, data, length);
    return pass->session->state == STATE_BODY ? 0 : HPE_USER;
}

static int on_chunk_complete(llhttp_t *parser)
{
    struct pass *pass = parser->data;
    if (pass->exchange->part == PART_LINE) {
        exchange_chunk_end(pass);
    }
    return pass->session->state == STATE_BODY ? 0 : HPE_USER;
}

static int on_message_complete(llhttp_t *parser)
{
    (void)parser;
    return HPE_PAUSED;
}

const llhttp_settings_t body_parser_settings = {
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
    .on_chunk_header = on_chunk_header,
    .on_chunk_complete = on_chunk_complete,
};

/* Passes a slice to llhttp. Returns how many bytes llhttp has read, up to its pause if it paused; 0 after an error,
 * with the session closing. */
static size_t slice_feed(struct pass *pass, const char *data, size_t length, bool *paused)
{
    llhttp_t *parser = pass->parser;
    parser->data = pass;
    if (llhttp_get_errno(parser) == HPE_PAUSED) {
        llhttp_resume(parser);
    }
    llhttp_errno_t error = llhttp_execute(parser, data, length);
    *paused = error == HPE_PAUSED;
    if (error == HPE_OK) {
        return length;
    }
    if (*paused) {
        return (size_t)(llhttp_get_error_pos(parser) - data);
    }
    if (pass->session->state == STATE_BODY) {
        exchange_fail(pass, STATUS_BAD_REQUEST, "The chunked framing is malformed: %s.",
                      llhttp_get_error_reason(parser));
    }
    return 0;
}

/* Called when the size of a chunk is known: passes it to llhttp, which then opens the chunk or, if the size is 0, the
 * trailer section. */
static void chunk_begin(struct pass *pass)
{
    struct exchange *x = pass->exchange;
    char line[CHUNK_LINE_TEXT_SIZE];
    bool paused = false;
    slice_feed(pass, line, chunk_line_format(line, x->line.size), &paused);
    if (pass->session->state != STATE_BODY) {
        return;
    }
    assert(paused && pass->parser->content_length == x->line.size);
    x->left = x->line.size;
    x->part = x->left > 0 ? PART_DATA : PART_TRAILERS;
    x->used = 0;
    exchange_chunk_begin(pass, x->left);
}

static size_t size_feed(struct pass *pass, const char *data, size_t length)
{
    static const char *const details[] = {
        [CHUNK_LINE_BAD_SIZE] = "A chunk size must be hexadecimal digits followed by ';' or CRLF.",
        [CHUNK_LINE_BAD_EXTENSION] = "A chunk extension must be ;name, ;name=token or ;name=\"text\".",
        [CHUNK_LINE_BAD_END] = "A chunk-size line must end in CRLF.",
    };
    size_t used = 0;
    enum chunk_line_result result =
        chunk_line_read(&pass->exchange->line, (struct span){.data = data, .length = length}, &used);
    switch (result) {
    case CHUNK_LINE_MORE: break;
    case CHUNK_LINE_DONE: chunk_begin(pass); break;
    case CHUNK_LINE_BAD_SIZE:
    case CHUNK_LINE_BAD_EXTENSION:
    case CHUNK_LINE_BAD_END: exchange_fail(pass, STATUS_BAD_REQUEST, "%s", details[result]); break;
    }
    return used;
}

static size_t line_feed(struct pass *pass, const char *data, size_t length)
{
    struct exchange *x = pass->exchange;
    uint64_t allowed = FRAMING_OVERHEAD_MAX + x->body_seen / 4 - x->overhead;
    size_t slice = least(least(length, CHUNK_LINE_ROOM - x->used), allowed);
    if (slice == 0) {
        exchange_fail(pass, STATUS_BAD_REQUEST,
                      allowed == 0 ? "Too much chunk framing for too little data."
                                   : "The chunk-size line is too long: at most %d bytes are allowed.",
                      CHUNK_LINE_MAX);
        return 0;
    }
    size_t before = x->used;
    bool paused = false;
    size_t used = before < CRLF_LENGTH ? slice_feed(pass, data, least(slice, CRLF_LENGTH - before), &paused)
                                       : size_feed(pass, data, slice);
    x->overhead += used;
    if (x->part == PART_LINE) {
        x->used = before + used;
    }
    return used;
}

static size_t data_feed(struct pass *pass, const char *data, size_t length)
{
    struct exchange *x = pass->exchange;
    bool paused = false;
    size_t used = slice_feed(pass, data, least(length, x->left), &paused);
    if (pass->session->state == STATE_BODY) {
        x->left -= used;
        if (x->left == 0) {
            x->part = PART_LINE;
            x->used = 0;
            chunk_line_init(&x->line);
        }
    }
    return used;
}

static size_t trailers_feed(struct pass *pass, const char *data, size_t length)
{
    struct exchange *x = pass->exchange;
    size_t slice = least(length, pass->context->service->max_header_size - x->used);
    if (slice == 0) {
        exchange_fail(pass, STATUS_REQUEST_HEADER_FIELDS_TOO_LARGE,
                      "The trailer section is too large: at most %zu bytes are allowed.",
                      pass->context->service->max_header_size);
        return 0;
    }
    bool paused = false;
    size_t used = slice_feed(pass, data, slice, &paused);
    if (pass->session->state != STATE_BODY) {
        return used;
    }
    x->used += used;
    if (x->handler != NULL && x->handler->body == HANDLER_HOLDS &&
        buffer_append(&x->trailers, data, used, pass->context->output.budget, BUDGET_MAY_REFUSE) != 0) {
        exchange_fail_memory(pass);
        return used;
    }
    if (paused) {
        if (x->trailers != NULL) {
            x->trailers->end -= 2; /* the empty line */
        }
        exchange_request_complete(pass);
    }
    return used;
}

static size_t length_feed(struct pass *pass, const char *data, size_t length)
{
    struct exchange *x = pass->exchange;
    size_t used = least(length, x->left);
    x->left -= used;
    exchange_body(pass, data, used);
    if (pass->session->state == STATE_BODY && x->left == 0) {
        exchange_request_complete(pass);
    }
    return used;
}

/* Returns how many of `length` bytes may be taken. If the answer has to wait before it begins, these are the bytes up
 * to the one at which it would begin. */
static size_t data_most(const struct exchange *x, size_t length)
{
    bool begins = x->echoes || x->response.abort != ABORT_NOT;
    bool may_wait = x->response.wait_ms > 0 || x->response.abort == ABORT_RESET;
    if (!begins || x->begun || !may_wait || x->body_seen >= EXCHANGE_BEGIN_AT) {
        return length;
    }
    return least(length, EXCHANGE_BEGIN_AT - x->body_seen);
}

static size_t part_feed(struct pass *pass, const char *data, size_t length)
{
    switch ((enum part)pass->exchange->part) {
    case PART_LENGTH: return length_feed(pass, data, data_most(pass->exchange, length));
    case PART_LINE: return line_feed(pass, data, length);
    case PART_DATA: return data_feed(pass, data, data_most(pass->exchange, length));
    case PART_TRAILERS: return trailers_feed(pass, data, length);
    }
    abort();
}

size_t body_feed(struct pass *pass, const char *data, size_t length)
{
    size_t used = part_feed(pass, data, length);
    if (pass->session->state == STATE_BODY && pass->exchange->late) {
        exchange_wait_late(pass);
    }
    return used;
}
