/* SPDX-License-Identifier: MIT */
/* method SP request-target SP HTTP-version CRLF (RFC 9112, 3), for lines that llhttp has accepted and for lines that
 * it has refused. */
#include "common/http/request_line.h"

#include "common/http/authority.h"
#include "common/base/block.h"
#include "common/base/compiler.h"
#include "common/base/number.h"
#include "common/http/token.h"

#define OK                     ((struct parse_result){STATUS_OK, ""})
#define UNDECIDED              ((struct parse_result){0, ""})
#define RESULT(status, detail) ((struct parse_result){(status), (detail)})
#define BAD_BYTE               RESULT(STATUS_BAD_REQUEST, NULL)

enum { TARGET_END, TARGET_PLAIN, TARGET_QUESTION }; /* not allowed in a target; allowed; '?' */

static const unsigned char target_class[256] = {
    ['!' ... '"'] = TARGET_PLAIN,
    ['$' ... '>'] = TARGET_PLAIN,
    ['?'] = TARGET_QUESTION,
    ['@' ... '~'] = TARGET_PLAIN,
};

static const char *skip_plain(const char *p, const char *end)
{
    while (p < end && target_class[(unsigned char)*p] == TARGET_PLAIN) {
        p++;
    }
    return p;
}

/* The names of llhttp's methods for HTTP. CONNECT and PRI (of HTTP/2's preface) never reach a handler: their length
 * is 0. */
#define METHOD_SERVED(number) ((number) != HTTP_CONNECT && (number) != HTTP_PRI)
static const struct span methods[] = {
#define X(number, name, string) [number] = {#string, METHOD_SERVED(number) ? sizeof(#string) - 1 : 0},
    HTTP_METHOD_MAP(X)
#undef X
};

struct span request_line_methods(void)
{
    return SPAN_LITERAL(REQUEST_LINE_METHODS);
}

/* Returns the number of a served method, or -1. */
static int method_number(struct span name)
{
    if (span_equal(name, SPAN_LITERAL("GET"))) {
        return HTTP_GET;
    }
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (methods[i].length > 0 && span_equal(name, methods[i])) {
            return (int)i;
        }
    }
    return -1;
}

/* Sets `*end` to the space behind the method. Accepts PRI of HTTP/2's preface, because there the error is the
 * version. */
static struct parse_result method_read(struct span prefix, struct request *request, const char **end)
{
    const char *p = prefix.data;
    const char *limit = p + prefix.length;
    if (prefix.length > 4 && memcmp(p, "GET ", 4) == 0) {
        request->method = HTTP_GET;
        *end = p + 3;
        return OK;
    }
    p = token_end(p, limit);
    struct span name = span_between(prefix.data, p);
    if (name.length > REQUEST_LINE_METHOD_MAX || (p < limit && (*p != ' ' || name.length == 0))) {
        return RESULT(STATUS_BAD_REQUEST, "Malformed request line: no valid method.");
    }
    if (p == limit) {
        return UNDECIDED;
    }
    int number = span_equal(name, SPAN_LITERAL("PRI")) ? HTTP_PRI : method_number(name);
    if (number < 0) {
        return RESULT(STATUS_NOT_IMPLEMENTED, "Unknown method.");
    }
    request->method = (uint8_t)number;
    *end = p;
    return OK;
}

/* Returns the authority of an http or https URI; a span without data if the target is not such a URI. */
static struct span absolute_authority(struct span target)
{
    size_t scheme = 0;
    if (target.length >= 7 && strncasecmp(target.data, "http://", 7) == 0) {
        scheme = 7;
    } else if (target.length >= 8 && strncasecmp(target.data, "https://", 8) == 0) {
        scheme = 8;
    } else {
        return (struct span){0};
    }
    const char *end = target.data + target.length;
    const char *rest = target.data + scheme;
    while (rest < end && *rest != '/' && *rest != '?') {
        rest++;
    }
    return span_between(target.data + scheme, rest);
}

/* http or https, "://", authority, then path and query. */
static struct parse_result absolute_target_read(struct request *request)
{
    struct span target = request->target;
    struct span authority = absolute_authority(target);
    if (authority.data == NULL) {
        return RESULT(STATUS_BAD_REQUEST,
                      "The request target must be a path, an http or https URI, or * for OPTIONS.");
    }
    if (authority_bad_byte(authority) != NULL) {
        return BAD_BYTE;
    }
    if (!authority_valid(authority)) {
        return RESULT(STATUS_BAD_REQUEST,
                      "The authority of the request target is not a valid host and port.");
    }
    request->host = authority;
    request->path = span_between(authority.data + authority.length, target.data + target.length);
    return OK;
}

static struct parse_result target_read(struct request *request, const char *question)
{
    struct span target = request->target;
    request->host = SPAN_LITERAL("");
    request->query = SPAN_LITERAL("");
    request->path = target;
    if (target.length > 0 && target.data[0] == '*') {
        if (target.length > 1 || (request->method != HTTP_OPTIONS && request->method != HTTP_PRI)) {
            return RESULT(STATUS_BAD_REQUEST, "The request target * is allowed with OPTIONS only.");
        }
        return OK;
    }
    if (target.length == 0 || target.data[0] != '/') {
        struct parse_result result = absolute_target_read(request);
        if (result.status != STATUS_OK) {
            return result;
        }
    }
    if (question != NULL) {
        request->query = span_between(question + 1, request->path.data + request->path.length);
        request->path.length = (size_t)(question - request->path.data);
    }
    if (request->path.length == 0) {
        request->path = SPAN_LITERAL("/");
    }
    return OK;
}

/* Reads "HTTP/1.1\r\n" at `p`, behind the second space. The status is 0 while [p, end) may become a valid version. */
static struct parse_result version_read(const char *p, const char *end, uint8_t *minor)
{
    if (end - p >= 10 && memcmp(p, "HTTP/1.1\r\n", 10) == 0) {
        *minor = 1;
        return OK;
    }
    static const char shape[] = "HTTP/0.0\r\n"; /* 0 stands for any digit */
    for (size_t i = 0; i < sizeof shape - 1; i++) {
        if (p + i == end) {
            return UNDECIDED;
        }
        if (shape[i] == '0' ? !number_is_digit(p[i]) : p[i] != shape[i]) {
            return RESULT(STATUS_BAD_REQUEST,
                          "One space, HTTP/1.1 or HTTP/1.0, and CRLF must follow the request target; "
                          "a space in the target must be encoded as %20.");
        }
    }
    if (p[5] != '1' || p[7] > '1') {
        return RESULT(STATUS_HTTP_VERSION_NOT_SUPPORTED,
                      "Unsupported version: only HTTP/1.1 and HTTP/1.0 are supported.");
    }
    *minor = (uint8_t)(p[7] - '0');
    return OK;
}

/* Returns the first byte that is not allowed in a target, and sets `*question` to the first '?' before it. */
static const char *target_skip(const char *p, const char *end, const char **question)
{
    for (;;) {
        p = skip_plain(p, end);
        if (p == end || *p != '?') {
            return p;
        }
        *question = *question == NULL ? p : *question;
        p++;
    }
}

struct parse_result request_line_read(struct span prefix, bool refused, struct request *request,
                                      size_t *length)
{
    const char *end = prefix.data + prefix.length;
    const char *method_end = NULL;
    struct parse_result result = method_read(prefix, request, &method_end);
    if (result.status != STATUS_OK) {
        return result;
    }
    const char *target = method_end + 1;
    const char *question = NULL;
    const char *target_end = target_skip(target, end, &question);
    if (target_end == end && !refused) {
        return UNDECIDED;
    }
    if (target_end == end || target_end == target || *target_end != ' ') {
        return BAD_BYTE;
    }
    request->target = span_between(target, target_end);
    result = target_read(request, question);
    if (result.status != STATUS_OK) {
        return result;
    }
    const char *version = target_end + 1;
    result = version_read(version, end, &request->minor_version);
    if (result.status != STATUS_OK) {
        return result;
    }
    if (refused || request->method == HTTP_PRI) {
        return refused ? RESULT(STATUS_BAD_REQUEST, "Malformed request line.")
                       : RESULT(STATUS_NOT_IMPLEMENTED, "Unknown method.");
    }
    *length = (size_t)(version - prefix.data) + sizeof "HTTP/1.1\r\n" - 1;
    return OK;
}

unsigned char request_line_bad_byte(struct span prefix, size_t *offset)
{
    const char *end = prefix.data + prefix.length;
    const char *space = memchr(prefix.data, ' ', prefix.length);
    const char *target = space == NULL ? prefix.data : space + 1;
    const char *question = NULL;
    const char *bad = target_skip(target, end, &question);
    if (bad == end || (*bad == ' ' && bad > target)) {
        struct span authority = absolute_authority(span_between(target, bad));
        bad = authority.data == NULL ? NULL : authority_bad_byte(authority);
        bad = bad == NULL ? end - 1 : bad; /* the byte that llhttp has refused */
    }
    *offset = (size_t)(bad - target);
    return (unsigned char)*bad;
}

static ALWAYS_INLINE const char *skip_plain_blocks(const char *p, const char *limit)
{
    while (limit - p >= BLOCK_SIZE) {
        const block_bytes block = block_load(p);
        unsigned others = block_mask((block < '!') | (block == '?') | (block == '#') | (block == 0x7f));
        if (others != 0) {
            return p + __builtin_ctz(others);
        }
        p += BLOCK_SIZE;
    }
    return p;
}

/* llhttp has seen the end of the line, so the loop needs no limit: neither CR nor LF is TARGET_PLAIN. */
size_t request_line_read_usual(struct span head, struct request *request)
{
    const char *line = head.data;
    static const char version[] = " HTTP/1.1\r\n";
    if (memcmp(line, "GET /", 5) != 0) {
        return 0;
    }
    const char *target = line + 4;
    const char *p = skip_plain_blocks(target + 1, line + head.length);
    while (target_class[(unsigned char)*p] == TARGET_PLAIN) {
        p++;
    }
    if (p[0] != ' ' || memcmp(p, version, sizeof version - 1) != 0) {
        return 0;
    }
    request->method = HTTP_GET;
    request->minor_version = 1;
    request->target = request->path = span_between(target, p);
    request->query = request->host = SPAN_LITERAL("");
    return (size_t)(p - line) + sizeof version - 1;
}
