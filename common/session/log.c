/* SPDX-License-Identifier: MIT */
/* Composes each line in the context's buffer. Only text that JSON must escape is copied through a buffer of its own. */
#include "common/session/log.h"

#include <sys/socket.h>

#include "common/base/compiler.h"
#include "common/base/json.h"
#include "common/base/number.h"
#include "common/http/fault.h"

/* True for the bytes that both formats write as they are, and that do nothing to a terminal. */
static const bool plain_bytes[256] = {[' '] = true, ['!'] = true, ['#' ... '['] = true, [']' ... '~'] = true};

static bool is_plain(char c)
{
    return plain_bytes[(unsigned char)c];
}

static bool all_plain(struct span text)
{
    size_t i = 0;
    while (i < text.length && is_plain(text.data[i])) {
        i++;
    }
    return i == text.length;
}

static char *put_escaped_text(char *at, struct span text)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (is_plain((char)c)) {
            *at++ = (char)c;
        } else {
            at = PUT_LITERAL(at, "\\x");
            *at++ = number_hex_digit(c >> 4);
            *at++ = number_hex_digit(c & 15);
        }
    }
    return at;
}

/* Without memory for it nothing is written. */
static char *put_escaped_json(char *at, struct span text, struct budget budget)
{
    struct json json = {.budget = budget};
    json_string(&json, text);
    struct span string = buffer_span(json.text);
    if (!json.failed) {
        at = span_copy(at, (struct span){.data = string.data + 1, .length = string.length - 2});
    }
    buffer_free(&json.text, budget);
    return at;
}

/* At most `most` bytes of the text, no character of UTF-8 cut in two. */
static struct span cut(struct span text, size_t most)
{
    if (text.length > most) {
        while (most > 0 && ((unsigned char)text.data[most] & 0xc0) == 0x80) {
            most--;
        }
        text.length = most;
    }
    return text;
}

static COLD char *put_odd(struct log *log, char *at, struct span text, bool plain)
{
    struct span shown = cut(text, plain ? LOG_TARGET_MAX : LOG_TARGET_MAX / 6); /* \u001b is the longest */
    at = plain                     ? span_copy(at, shown)
         : log->format == LOG_JSON ? put_escaped_json(at, shown, log->budget)
                                   : put_escaped_text(at, shown);
    if (shown.length == text.length) {
        return at;
    }
    log->truncated = true;
    return PUT_LITERAL(at, "...");
}

static char *put_text(struct log *log, char *at, struct span text)
{
    bool plain = all_plain(text);
    return likely(plain && text.length <= LOG_TARGET_MAX) ? span_copy(at, text)
                                                          : put_odd(log, at, text, plain);
}

static char *put_number(char *at, uint64_t number)
{
    if (number < 10) {
        *at = (char)('0' + number);
        return at + 1;
    }
    return at + number_format_u64(at, number);
}

static bool same_host(const struct peer *a, const struct peer *b)
{
    return a->family == b->family && bytes_equal((const char *)a->address, (const char *)b->address, 16);
}

static COLD void know_host(struct log *log, const struct peer *peer)
{
    log->peer = *peer;
    log->host_length = (uint8_t)peer_format(peer, false, log->host);
}

/* The address of the one before is nearly always that of the next: of a proxy, or of a client that has kept its
 * connection. */
static char *put_host(struct log *log, char *at, const struct peer *peer)
{
    if (unlikely(!same_host(&log->peer, peer))) {
        know_host(log, peer);
    }
    return span_copy(at, (struct span){log->host, log->host_length});
}

/* As /anything writes it. */
static char *put_remote(struct log *log, char *at, const struct peer *peer)
{
    if (unlikely(peer->family != AF_INET)) {
        return at + peer_format(peer, true, at);
    }
    at = put_host(log, at, peer);
    *at++ = ':';
    return put_number(at, peer->port);
}

/* Of "Tue, 15 Nov 1994 08:12:31 GMT". */
static char *put_text_time(char *at, const char *date)
{
    at = span_copy(at, (struct span){date + 5, 2});
    *at++ = '/';
    at = span_copy(at, (struct span){date + 8, 3});
    *at++ = '/';
    at = span_copy(at, (struct span){date + 12, 4});
    *at++ = ':';
    at = span_copy(at, (struct span){date + 17, 8});
    return PUT_LITERAL(at, " +0000");
}

static char *put_json_time(char *at, const char *date)
{
    int month = clock_date_month(date);
    at = span_copy(at, (struct span){date + 12, 4});
    *at++ = '-';
    *at++ = (char)('0' + month / 10);
    *at++ = (char)('0' + month % 10);
    *at++ = '-';
    at = span_copy(at, (struct span){date + 5, 2});
    *at++ = 'T';
    at = span_copy(at, (struct span){date + 17, 8});
    *at++ = 'Z';
    return at;
}

static COLD void know_time(struct log *log, const char *date)
{
    char *end = log->format == LOG_JSON ? put_json_time(log->time, date) : put_text_time(log->time, date);
    log->time_length = (uint8_t)(end - log->time);
    memcpy(log->date, date, sizeof log->date);
}

/* The text of the previous time is kept. It is used again if the date is the same from the day to the seconds. */
static char *put_time(struct log *log, char *at, const char *date)
{
    if (unlikely(!bytes_equal(log->date + 5, date + 5, 16) || !bytes_equal(log->date + 9, date + 9, 16))) {
        know_time(log, date);
    }
    return span_copy(at, (struct span){log->time, log->time_length});
}

static char *put_status(char *at, unsigned status)
{
    at[0] = (char)('0' + status / 100);
    at[1] = (char)('0' + status / 10 % 10);
    at[2] = (char)('0' + status % 10);
    return at + 3;
}

static char *put_method(char *at, uint8_t method)
{
    const char *name = llhttp_method_name((llhttp_method_t)method);
    while (*name != '\0') {
        *at++ = *name++;
    }
    return at;
}

/* The names of the faults, with commas between them. */
static COLD char *put_faults(char *at, unsigned faults)
{
    for (; faults != 0; faults &= faults - 1) {
        const char *name = fault_names[__builtin_ctz(faults)];
        at = span_copy(at, (struct span){name, strlen(name)});
        *at++ = ',';
    }
    return at - 1;
}

static char *put_text_line(struct log *log, char *at, const struct log_entry *entry)
{
    at = put_host(log, at, entry->peer);
    at = PUT_LITERAL(at, " - - [");
    at = put_time(log, at, entry->date);
    at = PUT_LITERAL(at, "] \"");
    if (entry->understood) {
        at = put_method(at, entry->method);
        *at++ = ' ';
        at = put_text(log, at, entry->target);
        at = PUT_LITERAL(at, " HTTP/1.");
        *at++ = (char)('0' + entry->minor_version);
    } else {
        at = put_text(log, at, entry->target);
    }
    at = PUT_LITERAL(at, "\" ");
    at = entry->status == 0 ? PUT_LITERAL(at, "-") : put_status(at, entry->status);
    *at++ = ' ';
    at = put_number(at, entry->bytes);
    *at++ = ' ';
    at = put_number(at, entry->duration_us);
    *at++ = ' ';
    at = span_copy(at, (struct span){entry->mode, strlen(entry->mode)});
    *at++ = ' ';
    at = put_number(at, entry->connection);
    *at++ = ' ';
    at = span_copy(at, entry->id);
    if (unlikely(entry->faults != 0)) {
        *at++ = ' ';
        at = put_faults(at, entry->faults);
    }
    return at;
}

static char *put_json_request(struct log *log, char *at, const struct log_entry *entry)
{
    if (!entry->understood) {
        at = PUT_LITERAL(at, "\",\"request\":\"");
        return put_text(log, at, entry->target);
    }
    at = PUT_LITERAL(at, "\",\"method\":\"");
    at = put_method(at, entry->method);
    at = PUT_LITERAL(at, "\",\"target\":\"");
    at = put_text(log, at, entry->target);
    at = PUT_LITERAL(at, "\",\"protocol\":\"HTTP/1.");
    *at++ = (char)('0' + entry->minor_version);
    return at;
}

/* ---- the request's fields ---- */

/* Room for what a line has behind the fields. */
#define LINE_END ",\"truncated\":true}\n"

static bool is_secret(struct span name)
{
    return span_equal_nocase(name, SPAN_LITERAL("Authorization")) ||
           span_equal_nocase(name, SPAN_LITERAL("Cookie")) ||
           span_equal_nocase(name, SPAN_LITERAL("Proxy-Authorization"));
}

/* A field as ["Name","value"]. Returns NULL if it may not fit before `limit`. A byte of a value takes at most six. */
static char *put_field(const struct log *log, char *at, const char *limit, const struct field *field)
{
    struct span value = is_secret(field->name) && !log->secrets ? SPAN_LITERAL("***") : field->value;
    bool plain = all_plain(value);
    size_t most = sizeof(",[\"\",\"\"]") + field->name.length + (plain ? value.length : 6 * value.length);
    if (most > (size_t)(limit - at)) {
        return NULL;
    }
    at = PUT_LITERAL(at, "[\"");
    at = span_copy(at, field->name);
    at = PUT_LITERAL(at, "\",\"");
    at = plain ? span_copy(at, value) : put_escaped_json(at, value, log->budget);
    return PUT_LITERAL(at, "\"]");
}

static COLD char *put_fields(struct log *log, char *at, struct span fields)
{
    const char *limit = log->text + log->length + LOG_LINE_MAX - sizeof(LINE_END "]");
    struct field field;
    at = PUT_LITERAL(at, ",\"headers\":[");
    for (bool first = true; field_next(&fields, &field); first = false) {
        char *begin = at;
        if (!first) {
            *at++ = ',';
        }
        char *end = put_field(log, at, limit, &field);
        if (end == NULL) {
            log->truncated = true;
            at = begin;
            break;
        }
        at = end;
    }
    *at++ = ']';
    return at;
}

static char *put_json_line(struct log *log, char *at, const struct log_entry *entry)
{
    at = PUT_LITERAL(at, "{\"time\":\"");
    at = put_time(log, at, entry->date);
    at = PUT_LITERAL(at, "\",\"remote\":\"");
    at = put_remote(log, at, entry->peer);
    at = put_json_request(log, at, entry);
    at = PUT_LITERAL(at, "\",\"status\":");
    at = entry->status == 0 ? PUT_LITERAL(at, "null") : put_status(at, entry->status);
    at = PUT_LITERAL(at, ",\"bytes\":");
    at = put_number(at, entry->bytes);
    at = PUT_LITERAL(at, ",\"duration_us\":");
    at = put_number(at, entry->duration_us);
    at = PUT_LITERAL(at, ",\"mode\":\"");
    at = span_copy(at, (struct span){entry->mode, strlen(entry->mode)});
    at = PUT_LITERAL(at, "\",\"connection\":");
    at = put_number(at, entry->connection);
    at = PUT_LITERAL(at, ",\"request_id\":\"");
    at = span_copy(at, entry->id);
    *at++ = '"';
    if (unlikely(entry->faults != 0)) {
        at = PUT_LITERAL(at, ",\"fault\":\"");
        at = put_faults(at, entry->faults);
        *at++ = '"';
    }
    if (unlikely(log->headers) && entry->understood) {
        at = put_fields(log, at, entry->fields);
    }
    if (unlikely(log->truncated)) {
        at = PUT_LITERAL(at, ",\"truncated\":true");
    }
    *at++ = '}';
    return at;
}

void log_write(struct log *log, const struct log_entry *entry)
{
    if (unlikely(log->size - log->length < LOG_LINE_MAX)) {
        log->flush(log);
        if (log->size - log->length < LOG_LINE_MAX) {
            counters_add(&log->counters->log_lost, 1);
            return;
        }
    }
    char *at = log->text + log->length;
    log->truncated = false;
    at = log->format == LOG_JSON ? put_json_line(log, at, entry) : put_text_line(log, at, entry);
    *at++ = '\n';
    log->length = (size_t)(at - log->text);
    log->lines++;
}

bool log_skips(const struct log *log, struct span path)
{
    for (size_t i = 0; i < log->skip_count; i++) {
        if (span_equal(path, log->skip[i])) {
            return true;
        }
    }
    return false;
}

/* ---- request ids ---- */

static bool id_valid(struct span id)
{
    for (size_t i = 0; i < id.length; i++) {
        char c = id.data[i];
        bool letter = (char)(c | 0x20) >= 'a' && (char)(c | 0x20) <= 'z';
        if (!letter && !number_is_digit(c) && (c == '\0' || strchr("-_.~+/=:@", c) == NULL)) {
            return false;
        }
    }
    return id.length > 0 && id.length <= LOG_ID_MAX;
}

struct span log_find_id(struct span fields)
{
    static const struct span name = SPAN_LITERAL("X-Request-Id");
    const char *end = fields.data + fields.length;
    for (const char *line = fields.data; line < end;) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        if ((*line | 0x20) == 'x' && (size_t)(newline - line) > name.length && line[name.length] == ':' &&
            span_equal_nocase((struct span){line, name.length}, name)) {
            struct span value = span_trim(span_between(line + name.length + 1, newline - 1));
            return id_valid(value) ? value : SPAN_LITERAL("");
        }
        line = newline + 1;
    }
    return SPAN_LITERAL("");
}

char *log_make_id(const struct log *log, char *out, uint64_t connection, uint32_t ordinal)
{
    out = span_copy(out, (struct span){log->instance, strlen(log->instance)});
    *out++ = '-';
    out += number_format_hex(out, connection);
    *out++ = '-';
    return out + number_format_hex(out, ordinal);
}
