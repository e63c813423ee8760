/* SPDX-License-Identifier: MIT */
/* /echo: the body back, byte for byte; a query or X-Echo fields shape the answer, for testing what stands in front. */
#include "common/handlers/routes.h"
#include "common/base/compiler.h"
#include "common/http/asked_field.h"
#include "common/http/query.h"

/* The ways to shape an answer, each as a query's parameter and as a request's field: first the faults, by their kind. */
enum { SHAPE_HEADER = FAULT_KINDS, SHAPES };

static const struct {
    struct span parameter;
    struct span field;
} shapes[SHAPES] = {
    [FAULT_STATUS] = {SPAN_LITERAL("status"), SPAN_LITERAL("X-Echo-Status")},
    [FAULT_DELAY] = {SPAN_LITERAL("delay"), SPAN_LITERAL("X-Echo-Delay")},
    [FAULT_CLOSE] = {SPAN_LITERAL("close"), SPAN_LITERAL("X-Echo-Close")},
    [FAULT_ABORT] = {SPAN_LITERAL("abort"), SPAN_LITERAL("X-Echo-Abort")},
    [SHAPE_HEADER] = {SPAN_LITERAL("header"), SPAN_LITERAL("X-Echo-Header")},
};

static void shape_header(struct response *response, struct span text)
{
    struct field field;
    const char *refusal = asked_field_read(text, &field);
    if (refusal != NULL) {
        response_problem(response, STATUS_BAD_REQUEST, "header %s.", refusal);
        return;
    }
    if (span_equal_nocase(field.name, SPAN_LITERAL("Content-Type"))) {
        response->content_type = SPAN_LITERAL(""); /* instead of ours */
    }
    struct span pieces[] = {field.name, SPAN_LITERAL(": "), field.value, SPAN_LITERAL("\r\n")};
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0] && !response->failed; i++) {
        response->failed = buffer_append(&response->fields, pieces[i].data, pieces[i].length,
                                         response->budget, BUDGET_MAY_REFUSE) != 0;
    }
}

static void carry_out(struct response *response, enum fault_kind kind, const struct fault *fault)
{
    switch (kind) {
    case FAULT_STATUS: response->status = fault->value != 0 ? (unsigned)fault->value : STATUS_OK; break;
    case FAULT_DELAY: response->wait_ms = fault->value; break;
    case FAULT_CLOSE: response->close = fault->value != 0; break;
    case FAULT_ABORT:
        response->abort = (uint8_t)fault->abort;
        response->abort_after = fault->value;
        break;
    case FAULT_KINDS: break;
    }
    response->faults = (uint8_t)((response->faults & ~fault_bits(kind)) | fault_bit(kind, fault));
}

static COLD void shape_fault(const struct request *request, struct response *response, enum fault_kind kind,
                             struct span list)
{
    const struct service *service = request->service;
    struct fault fault;
    uint32_t draw = fault_draw(service->fault_seed, request->connection, request->ordinal, kind);
    if (fault_read(kind, list, service->max_delay_ms, draw, &fault) == 0) {
        carry_out(response, kind, &fault);
        return;
    }
    char allowed[FAULT_ALLOWED_SIZE];
    fault_allowed(kind, service->max_delay_ms, allowed, sizeof allowed);
    response_problem(response, STATUS_BAD_REQUEST, "%s must be %s.", shapes[kind].parameter.data, allowed);
}

static void shape(const struct request *request, struct response *response, unsigned index, struct span value)
{
    if (index == SHAPE_HEADER) {
        shape_header(response, value);
    } else {
        shape_fault(request, response, (enum fault_kind)index, value);
    }
}

static void shape_encoded(const struct request *request, struct response *response, unsigned index,
                          struct span value)
{
    struct buffer *decoded = NULL;
    if (buffer_reserve(&decoded, value.length + 1, response->budget, BUDGET_MAY_REFUSE) != 0) {
        response->failed = true;
        return;
    }
    ssize_t length = query_decode(value, decoded->data);
    if (length < 0) {
        response_problem(response, STATUS_BAD_REQUEST,
                         "A percent sign must be followed by two hexadecimal digits.");
    } else {
        shape(request, response, index, (struct span){.data = decoded->data, .length = (size_t)length});
    }
    buffer_free(&decoded, response->budget);
}

/* Returns the bit set of shapes that the query names: those win over the fields. */
static NOINLINE unsigned shape_by_query(const struct request *request, struct response *response)
{
    unsigned named = 0;
    struct span query = request->query;
    struct parameter parameter;
    while (!response->problem && !response->failed && query_next(&query, &parameter)) {
        for (unsigned i = 0; i < SHAPES; i++) {
            if (span_equal(parameter.name, shapes[i].parameter)) {
                named |= 1u << i;
                shape_encoded(request, response, i, parameter.value);
            }
        }
    }
    return named;
}

/* No function is called for a field that begins with another letter, as most do. */
static bool shapes_named(struct span name)
{
    return name.length >= 7 && (name.data[0] | 0x20) == 'x' && strncasecmp(name.data, "X-Echo-", 7) == 0;
}

/* Adds those that the request's fields name to `named`, and returns the set. */
static unsigned shape_by_fields(const struct request *request, struct response *response, unsigned named)
{
    unsigned except = named;
    struct span lines = request->fields;
    struct field field;
    while (!response->problem && field_next(&lines, &field)) {
        if (!shapes_named(field.name)) {
            continue;
        }
        for (unsigned i = 0; i < SHAPES; i++) {
            if ((except & 1u << i) == 0 && span_equal_nocase(field.name, shapes[i].field)) {
                named |= 1u << i;
                shape(request, response, i, field.value);
            }
        }
    }
    return named;
}

/* What the server was started with, where the request says nothing. */
static COLD void shape_by_default(const struct request *request, struct response *response, unsigned named)
{
    const struct defaults *defaults = request->service->defaults;
    for (unsigned i = 0; i < FAULT_KINDS && !response->problem; i++) {
        if ((named & 1u << i) == 0 && defaults->faults[i].length > 0) {
            shape(request, response, i, defaults->faults[i]);
        }
    }
    for (size_t i = 0; i < defaults->field_count && (named & 1u << SHAPE_HEADER) == 0; i++) {
        shape(request, response, SHAPE_HEADER, defaults->fields[i]);
    }
}

static void echo_begin(const struct request *request, struct response *response)
{
    response->body = CONTENT_ECHO;
    response->sandbox = true;
    response->content_type =
        request->content_type.length > 0 ? request->content_type : SPAN_LITERAL("application/octet-stream");
    unsigned named = request->query.length > 0 ? shape_by_query(request, response) : 0;
    named = shape_by_fields(request, response, named);
    if (request->service->defaults != NULL && !response->problem) {
        shape_by_default(request, response, named);
    }
}

const struct handler echo_handler = {.body = HANDLER_ECHOES, .begin = echo_begin};
