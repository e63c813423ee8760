/* SPDX-License-Identifier: MIT */
/* /echo: the body back, byte for byte; a query or X-Echo fields shape the answer, for testing what stands in front. */
#include "common/handlers/routes.h"
#include "common/base/number.h"
#include "common/http/query.h"
#include "common/http/token.h"

static const struct span refused_fields[] = {
    SPAN_LITERAL("Content-Length"), SPAN_LITERAL("Transfer-Encoding"),
    SPAN_LITERAL("Connection"),     SPAN_LITERAL("Keep-Alive"),
    SPAN_LITERAL("Upgrade"),        SPAN_LITERAL("TE"),
    SPAN_LITERAL("Trailer"),        SPAN_LITERAL("Date"),
    SPAN_LITERAL("Server"),
};

static void shape_status(struct response *response, struct span value)
{
    uint64_t code = 0;
    if (number_parse_u64(value.data, value.length, STATUS_MAX, &code) != 0 || code < STATUS_MIN) {
        response_problem(response, STATUS_BAD_REQUEST, "status must be a number from %d to %d.", STATUS_MIN,
                         STATUS_MAX);
        return;
    }
    response->status = (unsigned)code;
}

static void shape_close(struct response *response, struct span value)
{
    if (span_equal(value, SPAN_LITERAL("true"))) {
        response->close = true;
    } else if (!span_equal(value, SPAN_LITERAL("false"))) {
        response_problem(response, STATUS_BAD_REQUEST, "close must be true or false.");
    }
}

static void shape_delay(struct response *response, struct span value)
{
    if (number_parse_duration_ms(value.data, value.length, HANDLER_WAIT_MAX_MS, &response->wait_ms) != 0) {
        response_problem(response, STATUS_BAD_REQUEST, "delay must be a time of at most 10 s.");
    }
}

static bool name_valid(struct span name)
{
    const char *end = name.data + name.length;
    return name.length > 0 && token_end(name.data, end) == end;
}

static bool value_valid(struct span value)
{
    for (size_t i = 0; i < value.length; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if ((c < ' ' && c != '\t') || c == 0x7f) {
            return false;
        }
    }
    return true;
}

static bool name_refused(struct span name)
{
    for (size_t i = 0; i < sizeof refused_fields / sizeof refused_fields[0]; i++) {
        if (span_equal_nocase(name, refused_fields[i])) {
            return true;
        }
    }
    return false;
}

static void shape_header(struct response *response, struct span value)
{
    const char *colon = memchr(value.data, ':', value.length);
    if (colon == NULL) {
        response_problem(response, STATUS_BAD_REQUEST, "header must be Name:Value.");
        return;
    }
    struct span name = span_between(value.data, colon);
    struct span content = span_trim(span_between(colon + 1, value.data + value.length));
    if (!name_valid(name) || !value_valid(content)) {
        response_problem(response, STATUS_BAD_REQUEST,
                         "header must be Name:Value without control characters.");
    } else if (name_refused(name)) {
        response_problem(response, STATUS_BAD_REQUEST, "header must not be a framing or connection field.");
    } else {
        if (span_equal_nocase(name, SPAN_LITERAL("Content-Type"))) {
            response->content_type = SPAN_LITERAL(""); /* instead of ours */
        }
        struct span pieces[] = {name, SPAN_LITERAL(": "), content, SPAN_LITERAL("\r\n")};
        for (size_t i = 0; i < sizeof pieces / sizeof pieces[0] && !response->failed; i++) {
            response->failed = buffer_append(&response->fields, pieces[i].data, pieces[i].length,
                                             response->budget, BUDGET_MAY_REFUSE) != 0;
        }
    }
}

/* One way to shape an answer, as a query's parameter and as a request's field. */
struct shape {
    struct span parameter;
    struct span field;
    void (*apply)(struct response *response, struct span value);
};

static const struct shape shapes[] = {
    {SPAN_LITERAL("status"), SPAN_LITERAL("X-Echo-Status"), shape_status},
    {SPAN_LITERAL("delay"), SPAN_LITERAL("X-Echo-Delay"), shape_delay},
    {SPAN_LITERAL("header"), SPAN_LITERAL("X-Echo-Header"), shape_header},
    {SPAN_LITERAL("close"), SPAN_LITERAL("X-Echo-Close"), shape_close},
};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

/* Returns the bit set of shapes that the query names: those win over the fields. */
static unsigned shape_by_query(const struct request *request, struct response *response)
{
    unsigned named = 0;
    struct span query = request->query;
    struct parameter parameter;
    while (!response->problem && query_next(&query, &parameter)) {
        for (unsigned i = 0; i < SHAPES; i++) {
            if (!span_equal(parameter.name, shapes[i].parameter)) {
                continue;
            }
            struct buffer *decoded = NULL;
            named |= 1u << i;
            if (buffer_reserve(&decoded, parameter.value.length + 1, response->budget, BUDGET_MAY_REFUSE) !=
                0) {
                response->failed = true;
                return named;
            }
            ssize_t length = query_decode(parameter.value, decoded->data);
            if (length < 0) {
                response_problem(response, STATUS_BAD_REQUEST,
                                 "A percent sign must be followed by two hexadecimal digits.");
            } else {
                shapes[i].apply(response, (struct span){.data = decoded->data, .length = (size_t)length});
            }
            buffer_free(&decoded, response->budget);
        }
    }
    return named;
}

static void shape_by_fields(const struct request *request, struct response *response, unsigned except)
{
    struct span lines = request->fields;
    struct field field;
    while (!response->problem && field_next(&lines, &field)) {
        if (field.name.length < 7 || strncasecmp(field.name.data, "X-Echo-", 7) != 0) {
            continue;
        }
        for (unsigned i = 0; i < SHAPES; i++) {
            if ((except & 1u << i) == 0 && span_equal_nocase(field.name, shapes[i].field)) {
                shapes[i].apply(response, field.value);
            }
        }
    }
}

static void echo_begin(const struct request *request, struct response *response)
{
    response->body = CONTENT_ECHO;
    response->sandbox = true;
    response->content_type =
        request->content_type.length > 0 ? request->content_type : SPAN_LITERAL("application/octet-stream");
    unsigned named = request->query.length > 0 ? shape_by_query(request, response) : 0;
    shape_by_fields(request, response, named);
}

const struct handler echo_handler = {.body = HANDLER_ECHOES, .begin = echo_begin};
