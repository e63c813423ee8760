/* SPDX-License-Identifier: MIT */
/* A request is a path of a table, with framing, fields and spelling drawn for it. */
#include "tests/unit/support/generator.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    LONG_BODY = 64 * 1024, /* where answers begin before their request is whole */
    NAME_SIZE = 40,
};

/* splitmix64 */
uint64_t chance_next(struct chance *chance)
{
    uint64_t z = chance->state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

size_t chance_below(struct chance *chance, size_t limit)
{
    return (size_t)(chance_next(chance) % limit);
}

bool chance_once_in(struct chance *chance, size_t many)
{
    return chance_below(chance, many) == 0;
}

/* ---- bytes ---- */

static void append(struct generated *g, const char *data, size_t length)
{
    if (g->capacity - g->length < length) {
        g->capacity = (g->length + length) * 2;
        g->bytes = realloc(g->bytes, g->capacity);
        if (g->bytes == NULL) {
            abort();
        }
    }
    memcpy(g->bytes + g->length, data, length);
    g->length += length;
}

__attribute__((format(printf, 2, 3))) static void print(struct generated *g, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    append(g, text, (size_t)length);
}

/* The name in another spelling, blanks around the value. */
static void field(struct generated *g, struct chance *chance, const char *name, const char *value)
{
    static const char *const blanks[] = {"", " ", "  ", "\t", " \t"};
    char spelled[NAME_SIZE];
    snprintf(spelled, sizeof spelled, "%s", name);
    for (char *p = spelled; *p != '\0' && chance_once_in(chance, 2); p++) {
        *p = (char)((*p >= 'a' && *p <= 'z')   ? *p - 'a' + 'A'
                    : (*p >= 'A' && *p <= 'Z') ? *p - 'A' + 'a'
                                               : *p);
    }
    print(g, "%s:%s%s%s\r\n", spelled, blanks[chance_below(chance, 5)], value,
          chance_once_in(chance, 4) ? "  " : "");
}

static void noise(struct generated *g, struct chance *chance)
{
    static const char *const values[] = {"", "x", "a: b, c;d=\"e\"", "\xc3\xa9\xff", "close", "chunked"};
    static const char *const names[] = {"X-A",    "Accept", "Cookie", "Te",
                                        "Conten", "Hos",    "X-Host", "Connectio"};
    for (size_t i = chance_below(chance, 4); i > 0; i--) {
        field(g, chance, names[chance_below(chance, 8)], values[chance_below(chance, 6)]);
    }
}

static size_t body_length(struct chance *chance)
{
    if (chance_once_in(chance, 40)) {
        return LONG_BODY - 100 + chance_below(chance, LONG_BODY);
    }
    return chance_below(chance, chance_once_in(chance, 4) ? 5000 : 60);
}

/* Bytes that look like everything a parser waits for. */
static char *body_bytes(struct chance *chance, size_t length)
{
    static const char pieces[] =
        "0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: h\r\n\r\n5\r\nhello\r\n\n\r\0\xff:; ";
    char *body = malloc(length + 1);
    if (body == NULL) {
        abort();
    }
    for (size_t at = 0; at < length;) {
        size_t from = chance_below(chance, sizeof pieces - 1);
        size_t take = 1 + chance_below(chance, sizeof pieces - 1 - from);
        take = take < length - at ? take : length - at;
        memcpy(body + at, pieces + from, take);
        at += take;
    }
    return body;
}

static void append_chunks(struct generated *g, struct chance *chance, const char *body, size_t length)
{
    static const char *const extensions[] = {"", "", "", ";a", ";a=b;c=\"d e\""};
    for (size_t at = 0; at < length;) {
        size_t size = 1 + chance_below(chance, chance_once_in(chance, 3) ? 20 : length);
        size = size < length - at ? size : length - at;
        size = length - at - size < 2 ? length - at : size;
        print(g, chance_once_in(chance, 2) ? "%zx%s\r\n" : "00%zX%s\r\n", size,
              extensions[chance_below(chance, 5)]);
        append(g, body + at, size);
        append(g, "\r\n", 2);
        at += size;
    }
    print(g, "0%s\r\n", extensions[chance_below(chance, 5)]);
    if (chance_once_in(chance, 3)) {
        noise(g, chance); /* trailers */
    }
    append(g, "\r\n", 2);
}

/* ---- requests ---- */

enum answers {
    ANSWERS_HELLO,
    ANSWERS_ECHO,
    ANSWERS_OTHER, /* of these only the status is known */
};

struct kind {
    const char *path;
    unsigned status;
    uint8_t answers; /* enum answers */
    bool only_get;   /* no other method */
    bool expects;    /* may come with Expect: the head does not decide on an error */
};

static const struct kind kinds[] = {
    {"/plaintext", 200, ANSWERS_HELLO, true, true},
    {"/plaintext?a=b&c", 200, ANSWERS_HELLO, true, true},
    {"http://h:80/plaintext", 200, ANSWERS_HELLO, true, true},
    {"/delay/3ms", 200, ANSWERS_HELLO, false, true},
    {"/echo", 200, ANSWERS_ECHO, false, true},
    {"/echo/x/y", 200, ANSWERS_ECHO, false, true},
    {"/echo?status=503&header=X-A:b", 503, ANSWERS_ECHO, false, true},
    {"/echo?delay=2ms&status=404", 404, ANSWERS_ECHO, false, true},
    {"/echo?status=204", 204, ANSWERS_OTHER, false, true},
    {"/echo?status=304", 304, ANSWERS_OTHER, false, true},
    {"/echo?status=1", 400, ANSWERS_OTHER, false, false},
    {"/bytes/100", 200, ANSWERS_OTHER, true, true},
    {"/bytes/40000", 200, ANSWERS_OTHER, true, true},
    {"/status/418", 418, ANSWERS_OTHER, false, true},
    {"/compute/9", 200, ANSWERS_OTHER, false, true},
    {"/drip?numbytes=9&duration=1", 200, ANSWERS_OTHER, true, true},
    {"/anything/a?b=c", 200, ANSWERS_OTHER, false, true},
    {"/headers", 200, ANSWERS_OTHER, true, true},
    {"/nowhere", 404, ANSWERS_OTHER, false, false},
    {"/status/600", 400, ANSWERS_OTHER, false, false},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static const char *method_of(struct chance *chance, const struct kind *kind)
{
    static const char *const methods[] = {"GET",    "HEAD",  "POST",    "PUT",
                                          "DELETE", "PATCH", "OPTIONS", "M-SEARCH"};
    return methods[chance_below(chance, kind->only_get ? 2 : 8)];
}

static void answer_body(struct generated_answer *answer, const struct kind *kind, char *body, size_t length)
{
    if (kind->answers == ANSWERS_ECHO && !answer->to_head) {
        answer->has_body = true;
        answer->body = body;
        answer->length = length;
        return;
    }
    free(body);
    if (kind->answers == ANSWERS_HELLO && !answer->to_head) {
        answer->has_body = true;
        answer->body = strdup("Hello, World!");
        answer->length = strlen(answer->body);
    }
}

static void request(struct generated *g, struct chance *chance, bool last)
{
    const struct kind *kind = &kinds[chance_below(chance, KINDS)];
    struct generated_answer *answer = &g->answers[g->count++];
    const char *method = method_of(chance, kind);
    bool body = chance_once_in(chance, 2);
    bool old = chance_once_in(chance, 6);
    bool chunked = body && !old && chance_once_in(chance, 2);
    bool expect = kind->expects && chance_once_in(chance, 6);
    size_t length = body ? body_length(chance) : 0;
    char *bytes = body_bytes(chance, length);
    *answer = (struct generated_answer){.status = kind->status, .to_head = strcmp(method, "HEAD") == 0};
    answer->interim = expect && !old && (chunked || length > 0);
    answer->chunked = chunked && kind->answers == ANSWERS_ECHO;
    g->close = last && (old || chance_once_in(chance, 3));

    for (size_t i = chance_once_in(chance, 4) ? chance_below(chance, 9) : 0; i > 0; i--) {
        append(g, "\r\n", 2);
    }
    print(g, "%s %s HTTP/1.%d\r\n", method, kind->path, !old);
    noise(g, chance);
    field(g, chance, "Host", "h:80");
    noise(g, chance);
    if (old && !g->close) {
        field(g, chance, "Connection", "keep-alive");
    } else if (!old && g->close) {
        field(g, chance, "Connection", "x, close");
    }
    if (expect) {
        field(g, chance, "Expect", "100-continue");
    }
    if (chunked) {
        field(g, chance, "Transfer-Encoding", "chunked");
    } else if (body) {
        char text[32];
        snprintf(text, sizeof text, "%s%zu", chance_once_in(chance, 3) ? "00" : "", length);
        print(g, "Content-Length: %s\r\n", text); /* llhttp takes no tab behind it */
    }
    noise(g, chance);
    append(g, "\r\n", 2);
    if (chunked) {
        append_chunks(g, chance, bytes, length);
    } else {
        append(g, bytes, length);
    }
    answer_body(answer, kind, bytes, length);
}

void generated_init(struct generated *g, struct chance *chance)
{
    *g = (struct generated){.count = 0};
    size_t count = 1 + chance_below(chance, GENERATED_REQUESTS_MAX);
    for (size_t i = 0; i < count; i++) {
        request(g, chance, i + 1 == count);
    }
}

void generated_deinit(struct generated *g)
{
    for (size_t i = 0; i < g->count; i++) {
        free(g->answers[i].body);
    }
    free(g->bytes);
}
