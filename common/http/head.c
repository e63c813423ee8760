/* SPDX-License-Identifier: MIT */
/* One pass over the lines of a head. The first letter of a field's name decides which names are compared. */
#include "common/http/head.h"

#include "common/http/authority.h"
#include "common/base/compiler.h"
#include "common/http/token.h"

#define OK          ((struct parse_result){STATUS_OK, ""})
#define BAD(detail) ((struct parse_result){STATUS_BAD_REQUEST, (detail)})

/* The result so far. A list may be spread over several lines (RFC 9110, 5.3). */
struct reading {
    struct request *request;
    const char *refusal; /* the detail of the first error; NULL: none */
    bool host;
    bool close;
    bool keep_alive;
    bool transfer_encoding;
    bool tab;          /* a tab follows one of the values of Transfer-Encoding */
    bool chunked;      /* the last coding was chunked */
    bool other_coding; /* there was another coding */
};

static COLD void refuse(struct reading *reading, const char *detail)
{
    if (reading->refusal == NULL) {
        reading->refusal = detail;
    }
}

/* Takes the first element off a comma-separated list; false when the list is used up. Elements may be empty. */
static bool list_next(struct span *list, struct span *element)
{
    if (list->data == NULL) {
        return false;
    }
    const char *end = list->data + list->length;
    const char *comma = memchr(list->data, ',', list->length);
    *element = span_trim(span_between(list->data, comma == NULL ? end : comma));
    *list = comma == NULL ? (struct span){0} : span_between(comma + 1, end);
    return true;
}

static COLD void read_host(struct reading *reading, struct span value)
{
    if (reading->host) {
        refuse(reading, "There is more than one Host field.");
    } else if (!authority_valid(value)) {
        refuse(reading, value.length == 0 ? "The Host field is empty."
                                          : "The Host field is not a valid host and port.");
    } else if (reading->request->host.length == 0) {
        reading->request->host = value;
    }
    reading->host = true;
}

static NOINLINE void read_connection(struct reading *reading, struct span value)
{
    struct span option;
    while (list_next(&value, &option)) {
        if (span_equal_nocase(option, SPAN_LITERAL("close"))) {
            reading->close = true;
        } else if (span_equal_nocase(option, SPAN_LITERAL("keep-alive"))) {
            reading->keep_alive = true;
        }
    }
}

/* A coding is a token, optionally with parameters. A quoted comma in a parameter would end the element here; the
 * rest is not a token and is refused, which is safe. */
static bool coding_valid(struct span coding)
{
    const char *end = coding.data + coding.length;
    const char *rest = token_end(coding.data, end);
    return rest > coding.data && (rest == end || *span_trim(span_between(rest, end)).data == ';');
}

/* Whether a tab is among the blanks between a value and the CR of its line. */
static bool tab_behind(struct span value)
{
    const char *p = value.data + value.length;
    while (*p == ' ') {
        p++;
    }
    return *p == '\t';
}

static COLD void read_transfer_encoding(struct reading *reading, struct span value)
{
    struct span coding;
    reading->transfer_encoding = true;
    reading->tab |= tab_behind(value);
    while (list_next(&value, &coding)) {
        if (reading->chunked) {
            refuse(reading, "No transfer coding may follow chunked.");
        } else if (!coding_valid(coding)) {
            refuse(reading, "The Transfer-Encoding field is malformed.");
        } else if (span_equal_nocase(coding, SPAN_LITERAL("chunked"))) {
            reading->chunked = true;
        } else {
            reading->other_coding = true;
        }
    }
}

static void read_content_type(struct reading *reading, struct span value)
{
    reading->request->content_type = value;
}

static COLD void read_expect(struct reading *reading, struct span value)
{
    bool known = span_equal_nocase(value, SPAN_LITERAL("100-continue"));
    if (reading->request->expect != EXPECT_UNKNOWN) {
        reading->request->expect = known ? EXPECT_CONTINUE : EXPECT_UNKNOWN;
    }
}

/* Whether the line begins with that name and its colon; most clients spell names as the RFCs do. */
static ALWAYS_INLINE bool line_has(struct span line, struct span name_and_colon)
{
    if (line.length < name_and_colon.length) {
        return false;
    }
    line.length = name_and_colon.length;
    return memcmp(line.data, name_and_colon.data, name_and_colon.length) == 0 ||
           span_equal_nocase(line, name_and_colon);
}

static ALWAYS_INLINE struct span value_behind(struct span line, size_t length)
{
    return span_trim((struct span){.data = line.data + length, .length = line.length - length});
}

#define FIELD(name, read)                                  \
    if (line_has(line, SPAN_LITERAL(name ":"))) {          \
        (read)(reading, value_behind(line, sizeof(name))); \
    }

/* Compares by the first letter, so that an irrelevant field costs very little. `line` is without its CRLF. */
static ALWAYS_INLINE void read_line(struct reading *reading, struct span line)
{
    switch (line.data[0] | 0x20) {
    case 'h': FIELD("Host", read_host) break;
    case 'e': FIELD("Expect", read_expect) break;
    case 'c':
        FIELD("Connection", read_connection)
        FIELD("Content-Type", read_content_type)
        break;
    case 't': FIELD("Transfer-Encoding", read_transfer_encoding) break;
    default: break;
    }
}

#undef FIELD

/* Reads the line if it is the first Host field in its most frequent form. Returns the newline of the line; NULL if
 * the line is anything else. */
static ALWAYS_INLINE const char *read_usual_host(struct reading *reading, const char *line, const char *limit)
{
    if (memcmp(line, "Host: ", 6) != 0 || reading->host) {
        return NULL;
    }
    const char *value = line + 6;
    const char *end = authority_skip_plain(value, limit);
    if (end == value || end[0] != '\r') {
        return NULL;
    }
    if (reading->request->host.length == 0) {
        reading->request->host = span_between(value, end);
    }
    reading->host = true;
    return end + 1;
}

/* Reads one line and returns its newline, which exists, because llhttp has found the empty line. */
static ALWAYS_INLINE const char *read_field(struct reading *reading, const char *line, const char *limit)
{
    const char *newline = *line == 'H' ? read_usual_host(reading, line, limit) : NULL;
    if (newline == NULL) {
        newline = rawmemchr(line, '\n');
        read_line(reading, span_between(line, newline - 1));
    }
    return newline;
}

static struct parse_result framing_result(const struct reading *reading, llhttp_t *parser)
{
    const struct request *request = reading->request;
    if (unlikely(reading->tab) && reading->chunked) {
        parser->flags |= F_CHUNKED; /* llhttp does not know chunked before a tab (RFC 9110, 5.5 allows it) */
    }
    bool parser_chunked = (parser->flags & F_CHUNKED) != 0;
    if (!reading->transfer_encoding) {
        return parser_chunked ? BAD("The framing of the request is ambiguous.") : OK;
    }
    if (request->minor_version == 0) {
        return BAD("HTTP/1.0 does not allow Transfer-Encoding.");
    }
    if (!reading->chunked || !parser_chunked || (parser->flags & F_CONTENT_LENGTH) != 0) {
        return BAD("The last transfer coding must be chunked.");
    }
    if (reading->other_coding) {
        return (struct parse_result){STATUS_NOT_IMPLEMENTED,
                                     "Unknown transfer coding: only chunked is supported."};
    }
    return OK;
}

struct parse_result head_read(struct span lines, llhttp_t *parser, struct request *request, const char **end)
{
    struct reading reading = {.request = request};
    request->content_type = SPAN_LITERAL("");
    request->expect = EXPECT_NOTHING;
    const char *line = lines.data;
    while (*line != '\r') {
        line = read_field(&reading, line, lines.data + lines.length) + 1;
    }
    request->fields = span_between(lines.data, line);
    *end = line + 2;
    if (reading.refusal != NULL) {
        return BAD(reading.refusal);
    }
    if (!reading.host && request->minor_version > 0) {
        return BAD("An HTTP/1.1 request must have a Host field.");
    }
    struct parse_result result = framing_result(&reading, parser);
    request->keep_alive = !reading.close && (request->minor_version > 0 || reading.keep_alive);
    request->framing = reading.transfer_encoding                 ? FRAMING_CHUNKED
                       : (parser->flags & F_CONTENT_LENGTH) != 0 ? FRAMING_LENGTH
                                                                 : FRAMING_NONE;
    request->content_length = request->framing == FRAMING_LENGTH ? parser->content_length : 0;
    if (request->minor_version == 0) {
        request->expect = EXPECT_NOTHING; /* RFC 9110, 10.1.1 */
    }
    return result;
}
