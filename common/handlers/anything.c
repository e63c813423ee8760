/* SPDX-License-Identifier: MIT */
/* /anything, /headers and /ip: the request as JSON, or a part of it. */
#include <stdlib.h>
#include <sys/socket.h>

#include "common/handlers/routes.h"
#include "common/base/json.h"

static void member(struct json *json, const char *name)
{
    struct span text = buffer_span(json->text);
    json_raw(json,
             text.length > 0 && text.data[text.length - 1] == '{' ? SPAN_LITERAL("\"") : SPAN_LITERAL(",\""));
    json_raw(json, (struct span){.data = name, .length = strlen(name)});
    json_raw(json, SPAN_LITERAL("\":"));
}

/* A line of a section, and the next of the same name. */
struct line {
    struct field field;
    struct line *next;
    bool repeats; /* a line before it has the same name */
};

/* Orders lines by the length of the name, then by the name, ignoring case. Lines of one name keep their order. */
static int line_compare(const void *a, const void *b)
{
    const struct line *one = *(const struct line *const *)a;
    const struct line *two = *(const struct line *const *)b;
    size_t length = one->field.name.length;
    if (length != two->field.name.length) {
        return length < two->field.name.length ? -1 : 1;
    }
    int difference = strncasecmp(one->field.name.data, two->field.name.data, length);
    return difference != 0 ? difference : (one > two) - (one < two);
}

/* Links the lines of each name. Sorted, so that many names cost little more than their bytes. */
static void link_lines(struct line *lines, struct line **order, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        order[i] = &lines[i];
    }
    qsort(order, count, sizeof(struct line *), line_compare);
    for (size_t i = 1; i < count; i++) {
        if (span_equal_nocase(order[i - 1]->field.name, order[i]->field.name)) {
            order[i - 1]->next = order[i];
            order[i]->repeats = true;
        }
    }
}

static void write_line(struct json *json, const struct line *line, bool first)
{
    if (!first) {
        json_raw(json, SPAN_LITERAL(","));
    }
    json_string(json, line->field.name);
    json_raw(json, SPAN_LITERAL(":["));
    for (const struct line *each = line; each != NULL; each = each->next) {
        if (each != line) {
            json_raw(json, SPAN_LITERAL(","));
        }
        json_string(json, each->field.value);
    }
    json_raw(json, SPAN_LITERAL("]"));
}

/* Each name once, under its first spelling, with the values of all its lines. */
static void write_lines(struct json *json, struct span section, struct line *lines, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        lines[i] = (struct line){.next = NULL};
        field_next(&section, &lines[i].field);
    }
    link_lines(lines, (struct line **)(void *)(lines + count), count);
    for (size_t i = 0; i < count; i++) {
        if (!lines[i].repeats) {
            write_line(json, &lines[i], i == 0);
        }
    }
}

static void write_fields(struct json *json, const char *name, struct span section)
{
    struct span rest = section;
    struct field field;
    struct buffer *memory = NULL;
    size_t count = 0;
    while (field_next(&rest, &field)) {
        count++;
    }
    member(json, name);
    json_raw(json, SPAN_LITERAL("{"));
    if (buffer_reserve(&memory, count * (sizeof(struct line) + sizeof(struct line *)), json->budget,
                       BUDGET_MAY_REFUSE) == 0) {
        write_lines(json, section, (struct line *)(void *)memory->data, count);
    } else {
        json->failed = true;
    }
    buffer_free(&memory, json->budget);
    json_raw(json, SPAN_LITERAL("}"));
}

static void write_remote(struct json *json, const struct request *request, bool with_port)
{
    char text[PEER_TEXT_SIZE];
    size_t length = peer_format(request->peer, with_port, text);
    member(json, "remote");
    json_string(json, (struct span){.data = text, .length = length});
}

static void write_request_line(struct json *json, const struct request *request)
{
    member(json, "method");
    json_text(json, request_method_name(request));
    member(json, "url");
    struct json url = {.budget = json->budget};
    if (request->target.data[0] == '/' && request->host.length > 0) { /* else no URI can be made */
        json_raw(&url, SPAN_LITERAL("http://"));
        json_raw(&url, request->host);
    }
    json_raw(&url, request->target);
    json_string(json, buffer_span(url.text));
    json->failed |= url.failed;
    buffer_free(&url.text, url.budget);
    member(json, "path");
    json_string(json, request->path);
    member(json, "query");
    json_string(json, request->query);
    member(json, "http_version");
    json_text(json, request->minor_version == 1 ? "1.1" : "1.0");
}

static void write_body(struct json *json, struct span body)
{
    bool text = json_utf8_valid(body);
    member(json, "body");
    if (text) {
        json_string(json, body);
    } else {
        json_base64(json, body);
        member(json, "body_encoding");
        json_text(json, "base64");
    }
}

/* Of a unix socket the listener's name says all. */
static void write_local(struct json *json, const struct request *request)
{
    const struct peer *local = request->local;
    const char *listener = request->service->listeners[request->peer->listener];
    member(json, "local");
    json_raw(json, SPAN_LITERAL("{"));
    if (local != NULL && local->family != AF_UNIX) {
        char text[PEER_TEXT_SIZE];
        size_t length = peer_format(local, false, text);
        member(json, "address");
        json_string(json, (struct span){.data = text, .length = length});
        member(json, "port");
        json_number(json, local->port);
    }
    member(json, "listener");
    json_text(json, listener);
    json_raw(json, SPAN_LITERAL("}"));
}

static void write_connection(struct json *json, const struct request *request)
{
    member(json, "mode");
    json_text(json, request->service->mode);
    member(json, "connection");
    json_raw(json, SPAN_LITERAL("{\"id\":"));
    json_number(json, request->connection);
    json_raw(json, SPAN_LITERAL(",\"requests\":"));
    json_number(json, request->ordinal);
    json_raw(json, SPAN_LITERAL("}"));
    member(json, "hostname");
    json_text(json, request->service->hostname);
    if (request->service->name != NULL) {
        member(json, "name");
        json_text(json, request->service->name);
    }
}

static void answer(struct json *json, struct response *response)
{
    json_raw(json, SPAN_LITERAL("}\n"));
    response->content_type = SPAN_LITERAL("application/json");
    response->nosniff = true;
    response->content = json->text;
    response->failed = json->failed;
}

static struct json begin_object(const struct response *response)
{
    struct json json = {.budget = response->budget};
    json_raw(&json, SPAN_LITERAL("{"));
    return json;
}

static void anything_begin(const struct request *request, struct response *response)
{
    (void)request;
    (void)response;
}

static void anything_finish(const struct request *request, struct response *response)
{
    struct json json = begin_object(response);
    write_request_line(&json, request);
    write_fields(&json, "headers", request->fields);
    write_body(&json, request->body);
    write_fields(&json, "trailers", request->trailers);
    write_remote(&json, request, true);
    write_local(&json, request);
    write_connection(&json, request);
    answer(&json, response);
}

static void headers_begin(const struct request *request, struct response *response)
{
    struct json json = begin_object(response);
    write_fields(&json, "headers", request->fields);
    answer(&json, response);
}

static void ip_begin(const struct request *request, struct response *response)
{
    struct json json = begin_object(response);
    write_remote(&json, request, false);
    answer(&json, response);
}

const struct handler anything_handler = {
    .body = HANDLER_HOLDS, .begin = anything_begin, .finish = anything_finish};
const struct handler headers_handler = {.begin = headers_begin};
const struct handler ip_handler = {.begin = ip_begin};
