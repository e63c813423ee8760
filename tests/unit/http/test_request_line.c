/* SPDX-License-Identifier: MIT */
/* Request lines (RFC 9112, 3): read whole, in every prefix, and by a session, which answers accordingly. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/http/request_line.h"
#include "tests/unit/support/answer.h"
#include "tests/unit/support/transcript.h"

#define LINE(text) SPAN_LITERAL(text)
#define M32        "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"

static const struct {
    struct span line;
    int method;
    const char *path;
    const char *query;
    const char *host;
    unsigned minor;
} good[] = {
    {LINE("GET / HTTP/1.1\r\n"), HTTP_GET, "/", "", "", 1},
    {LINE("GET / HTTP/1.0\r\n"), HTTP_GET, "/", "", "", 0},
    {LINE("HEAD /a HTTP/1.1\r\n"), HTTP_HEAD, "/a", "", "", 1},
    {LINE("M-SEARCH /a HTTP/1.1\r\n"), HTTP_MSEARCH, "/a", "", "", 1},
    {LINE("QUERY /a HTTP/1.1\r\n"), HTTP_QUERY, "/a", "", "", 1},
    {LINE("GET /a/b;c=d,e@f:g HTTP/1.1\r\n"), HTTP_GET, "/a/b;c=d,e@f:g", "", "", 1},
    {LINE("GET /%41/../b HTTP/1.1\r\n"), HTTP_GET, "/%41/../b", "", "", 1},
    {LINE("GET //a//b HTTP/1.1\r\n"), HTTP_GET, "//a//b", "", "", 1},
    {LINE("GET /? HTTP/1.1\r\n"), HTTP_GET, "/", "", "", 1},
    {LINE("GET /a?b=c HTTP/1.1\r\n"), HTTP_GET, "/a", "b=c", "", 1},
    {LINE("GET /a?b?c/d HTTP/1.1\r\n"), HTTP_GET, "/a", "b?c/d", "", 1},
    {LINE("GET /http://x/ HTTP/1.1\r\n"), HTTP_GET, "/http://x/", "", "", 1},
    {LINE("GET http://h/ HTTP/1.1\r\n"), HTTP_GET, "/", "", "h", 1},
    {LINE("GET http://h HTTP/1.1\r\n"), HTTP_GET, "/", "", "h", 1},
    {LINE("GET HTTPS://H:443/a?b HTTP/1.1\r\n"), HTTP_GET, "/a", "b", "H:443", 1},
    {LINE("GET http://h?a HTTP/1.1\r\n"), HTTP_GET, "/", "a", "h", 1},
    {LINE("GET http://h: HTTP/1.1\r\n"), HTTP_GET, "/", "", "h:", 1},
    {LINE("GET http://[::1]:80/a HTTP/1.0\r\n"), HTTP_GET, "/a", "", "[::1]:80", 0},
    {LINE("GET http://h/a?http://i/ HTTP/1.1\r\n"), HTTP_GET, "/a", "http://i/", "h", 1},
    {LINE("OPTIONS * HTTP/1.1\r\n"), HTTP_OPTIONS, "*", "", "", 1},
    {LINE("OPTIONS / HTTP/1.1\r\n"), HTTP_OPTIONS, "/", "", "", 1},
};

static const struct {
    unsigned status;
    struct span line;
} bad[] = {
    /* a token, then a space: unknown methods, whatever follows */
    {501, LINE("FOO / HTTP/1.1\r\n")},
    {501, LINE("get / HTTP/1.1\r\n")},
    {501, LINE("GETS / HTTP/1.1\r\n")},
    {501, LINE("GE / HTTP/1.1\r\n")},
    {501, LINE("!#$%&'*+-.^_`|~09 / HTTP/1.1\r\n")},
    {501, LINE(M32 " / HTTP/1.1\r\n")},
    {501, LINE("FOO\x20\r\n")},
    {501, LINE("CONNECT h:443 HTTP/1.1\r\n")},
    {501, LINE("CONNECT / HTTP/1.1\r\n")},
    {501, LINE("DESCRIBE / HTTP/1.1\r\n")}, /* RTSP's */
    {501, LINE("PLAY / HTTP/1.1\r\n")},
    {501, LINE("SETUP rtsp://h/ RTSP/1.0\r\n")},
    {501, LINE("PRI / HTTP/1.1\r\n")},
    {505, LINE("PRI * HTTP/2.0\r\n")},
    {505, LINE("GET / HTTP/2.0\r\n")},
    {505, LINE("GET / HTTP/3.0\r\n")},
    {505, LINE("GET / HTTP/0.9\r\n")},
    {505, LINE("GET / HTTP/1.2\r\n")},
    {505, LINE("GET / HTTP/1.9\r\n")},
    {505, LINE("GET / HTTP/9.9\r\n")},
    /* the method is no token, or too long */
    {400, LINE("X" M32 " / HTTP/1.1\r\n")},
    {400, LINE(" GET / HTTP/1.1\r\n")},
    {400, LINE("G@T / HTTP/1.1\r\n")},
    {400, LINE("G(T / HTTP/1.1\r\n")},
    {400, LINE("GET\t/ HTTP/1.1\r\n")},
    {400, LINE("GET\r\n")},
    {400, LINE("FOO\r\n")},
    {400, LINE("\x16\x03\x01\x02\r\n")},
    {400, LINE("G\xc3\x89T / HTTP/1.1\r\n")},
    {400, LINE("G\0T / HTTP/1.1\r\n")},
    /* the target */
    {400, LINE("GET  / HTTP/1.1\r\n")},
    {400, LINE("GET  HTTP/1.1\r\n")},
    {400, LINE("GET \r\n")},
    {400, LINE("GET a HTTP/1.1\r\n")},
    {400, LINE("GET h:80 HTTP/1.1\r\n")},
    {400, LINE("GET ?a HTTP/1.1\r\n")},
    {400, LINE("GET * HTTP/1.1\r\n")},
    {400, LINE("OPTIONS ** HTTP/1.1\r\n")},
    {400, LINE("OPTIONS *?a HTTP/1.1\r\n")},
    {400, LINE("GET /#a HTTP/1.1\r\n")},
    {400, LINE("GET /?a#b HTTP/1.1\r\n")},
    {400, LINE("GET http://h/#a HTTP/1.1\r\n")},
    {400, LINE("GET /\x01 HTTP/1.1\r\n")},
    {400, LINE("GET /a\x7f HTTP/1.1\r\n")},
    {400, LINE("GET /\x80 HTTP/1.1\r\n")},
    {400, LINE("GET /\xc3\xa9 HTTP/1.1\r\n")},
    {400, LINE("GET /a\tb HTTP/1.1\r\n")},
    {400, LINE("GET /a b HTTP/1.1\r\n")},
    {400, LINE("GET /a\0b HTTP/1.1\r\n")},
    {400, LINE("GET http:///a HTTP/1.1\r\n")},
    {400, LINE("GET http:// HTTP/1.1\r\n")},
    {400, LINE("GET http://?a HTTP/1.1\r\n")},
    {400, LINE("GET http://:80/ HTTP/1.1\r\n")},
    {400, LINE("GET http:/h/ HTTP/1.1\r\n")},
    {400, LINE("GET http:h HTTP/1.1\r\n")},
    {400, LINE("GET ftp://h/ HTTP/1.1\r\n")},
    {400, LINE("GET httpx://h/ HTTP/1.1\r\n")},
    {400, LINE("GET http://u@h/ HTTP/1.1\r\n")},
    {400, LINE("GET http://u:p@h/ HTTP/1.1\r\n")},
    {400, LINE("GET http://h:a/ HTTP/1.1\r\n")},
    {400, LINE("GET http://[::1/ HTTP/1.1\r\n")},
    {400, LINE("GET http://[::g]/ HTTP/1.1\r\n")},
    /* the version */
    {400, LINE("GET /\r\n")},
    {400, LINE("GET / \r\n")},
    {400, LINE("GET / HTTP/1.1 \r\n")},
    {400, LINE("GET /  HTTP/1.1\r\n")},
    {400, LINE("GET /\tHTTP/1.1\r\n")},
    {400, LINE("GET / http/1.1\r\n")},
    {400, LINE("GET / HTTP/1\r\n")},
    {400, LINE("GET / HTTP/1.\r\n")},
    {400, LINE("GET / HTTP/1.10\r\n")},
    {400, LINE("GET / HTTP/01.1\r\n")},
    {400, LINE("GET / HTTP/11\r\n")},
    {400, LINE("GET / HTTP/1,1\r\n")},
    {400, LINE("GET / HTTP/a.1\r\n")},
    {400, LINE("GET / HTTPS/1.1\r\n")},
    {400, LINE("GET / RTSP/1.0\r\n")},
    {400, LINE("GET / ICE/1.0\r\n")},
    {400, LINE("GET / HTTP/1.1 HTTP/1.1\r\n")},
    {400, LINE("GET / HTTP/1.1\n")},
    {400, LINE("GET / HTTP/1.1\rX\r\n")},
    {400, LINE("GET / HTTP/1.1\r\r\n")},
};

/* Reads the first `length` bytes of the line from a block of exactly that size; the spans of `request` are gone then. */
static unsigned status_of(struct span line, size_t length)
{
    char *copy = malloc(length > 0 ? length : 1);
    memcpy(copy, line.data, length);
    struct request request = {0};
    size_t read = 0;
    struct parse_result v =
        request_line_read((struct span){.data = copy, .length = length}, false, &request, &read);
    cr_expect(v.detail != NULL || v.status == 400);
    free(copy);
    return v.status;
}

static bool is(struct span span, const char *text)
{
    return span.length == strlen(text) && memcmp(span.data, text, span.length) == 0;
}

Test(request_line, good)
{
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct request r = {0};
        size_t length = 0;
        struct parse_result v = request_line_read(good[i].line, false, &r, &length);
        cr_expect_eq(v.status, 200, "%s: %u, %s", good[i].line.data, v.status, v.detail);
        cr_expect_eq(length, good[i].line.length);
        cr_expect_eq(r.method, good[i].method, "%s", good[i].line.data);
        cr_expect_eq(r.minor_version, good[i].minor, "%s", good[i].line.data);
        cr_expect(is(r.path, good[i].path) && is(r.query, good[i].query) && is(r.host, good[i].host), "%s",
                  good[i].line.data);
        const char *target = strchr(good[i].line.data, ' ') + 1;
        cr_expect(span_equal(r.target, span_between(target, strchr(target, ' '))), "%s", good[i].line.data);
        for (size_t end = 0; end < good[i].line.length; end++) {
            cr_expect_eq(status_of(good[i].line, end), 0, "%s: %zu bytes are too few", good[i].line.data,
                         end);
        }
    }
}

/* The byte that a bad target is refused for, and where it stands. */
static const struct {
    struct span line;
    unsigned char byte;
    size_t offset;
} bad_bytes[] = {
    {LINE("GET  / HTTP/1.1\r\n"), ' ', 0},
    {LINE("GET /a\tb HTTP/1.1\r\n"), '\t', 2},
    {LINE("GET /\0 HTTP/1.1\r\n"), '\0', 1},
    {LINE("GET /\xc3\xa9 HTTP/1.1\r\n"), 0xc3, 1},
    {LINE("GET /a?b=\x7f HTTP/1.1\r\n"), 0x7f, 5},
    {LINE("GET /?a#b HTTP/1.1\r\n"), '#', 3},
    {LINE("GET /\r\n"), '\r', 1},
    {LINE("GET /\n"), '\n', 1},
    {LINE("POST http://u:p@h/ HTTP/1.1\r\n"), '@', 10},
    {LINE("GET http://a^b/ HTTP/1.1\r\n"), '^', 8},
    {LINE("GET http://h/\x01 HTTP/1.1\r\n"), 1, 9},
};

Test(request_line, bad_byte)
{
    for (size_t i = 0; i < sizeof bad_bytes / sizeof bad_bytes[0]; i++) {
        struct request r = {0};
        size_t line = 0;
        size_t offset = 0;
        struct parse_result v = request_line_read(bad_bytes[i].line, false, &r, &line);
        cr_assert(v.status == 400 && v.detail == NULL, "row %zu: %u", i, v.status);
        unsigned char byte = request_line_bad_byte(bad_bytes[i].line, &offset);
        cr_expect(byte == bad_bytes[i].byte && offset == bad_bytes[i].offset, "row %zu: 0x%02x at %zu", i,
                  byte, offset);
    }
}

/* What llhttp has refused and is a target's byte for us is the last one. */
Test(request_line, bad_byte_refused)
{
    struct span prefix = LINE("GET ?");
    struct request r = {0};
    size_t line = 0;
    size_t offset = 9;
    struct parse_result v = request_line_read(prefix, true, &r, &line);
    cr_assert(v.status == 400 && v.detail == NULL);
    cr_expect(request_line_bad_byte(prefix, &offset) == '?' && offset == 0);
    /* However far llhttp has come: the first byte that no authority has. */
    cr_expect(request_line_bad_byte(LINE("GET http://h@@"), &offset) == '@' && offset == 8);
    cr_expect(request_line_bad_byte(LINE("GET http://h@@@"), &offset) == '@' && offset == 8);
}

/* A result stands as soon as it is given: no prefix has another. */
Test(request_line, bad)
{
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        unsigned status = status_of(bad[i].line, bad[i].line.length);
        cr_expect_eq(status, bad[i].status, "%s (row %zu): %u", bad[i].line.data, i, status);
        bool decided = false;
        for (size_t end = 0; end < bad[i].line.length; end++) {
            unsigned early = status_of(bad[i].line, end);
            cr_expect(early == bad[i].status || (early == 0 && !decided), "%s: %u after %zu bytes",
                      bad[i].line.data, early, end);
            decided = early != 0;
        }
    }
}

/* What a session answers to the line with a Host field behind it. */
static unsigned session_status(struct harness *harness, struct span line, size_t piece, bool *closed)
{
    char bytes[256];
    memcpy(bytes, line.data, line.length);
    memcpy(bytes + line.length, "Host: h\r\nConnection: keep-alive\r\n\r\n", 35);
    struct script script = {.input = {.data = bytes, .length = line.length + 35}, .piece = piece};
    struct transcript t;
    struct answer answer;
    transcript_run(harness, &script, &t);
    struct span rest = transcript_span(&t);
    const char *wrong = answer_next(&rest, memcmp(line.data, "HEAD ", 5) == 0, &answer);
    cr_expect(wrong == NULL && rest.length == 0, "%s: %s", line.data, wrong);
    cr_expect(t.problem[0] == '\0', "%s: %s", line.data, t.problem);
    *closed = transcript_closed(&t);
    transcript_free(&t);
    return answer.status;
}

Test(request_line, as_a_session_answers)
{
    struct harness harness;
    bool closed;
    harness_init(&harness, 1 << 20);
    for (size_t piece = 0; piece < 2; piece++) {
        for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
            unsigned status = session_status(&harness, good[i].line, piece, &closed);
            cr_expect(!closed && (status < 300 || status == 404), "%s: %u", good[i].line.data, status);
        }
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
            unsigned status = session_status(&harness, bad[i].line, piece, &closed);
            cr_expect(closed && status == bad[i].status, "%s (row %zu): %u", bad[i].line.data, i, status);
        }
    }
    harness_deinit(&harness);
}

/* ---- methods ---- */

static const char *const method_names[] = {
#define X(number, name, string) [number] = #string,
    HTTP_METHOD_MAP(X)
#undef X
};
enum { METHOD_NAMES = sizeof method_names / sizeof method_names[0] };

static bool served(size_t number)
{
    return method_names[number] != NULL && number != HTTP_CONNECT && number != HTTP_PRI;
}

/* How often the list has the name. */
static int listed(const char *name)
{
    struct span list = request_line_methods();
    const char *end = list.data + list.length;
    int count = 0;
    for (const char *p = list.data; p < end;) {
        const char *comma = memmem(p, (size_t)(end - p), ", ", 2);
        const char *stop = comma == NULL ? end : comma;
        count += is(span_between(p, stop), name);
        p = comma == NULL ? end : comma + 2;
    }
    return count;
}

Test(request_line, the_list_is_of_all_methods_that_are_served)
{
    size_t length = 0;
    size_t count = 0;
    for (size_t i = 0; i < METHOD_NAMES; i++) {
        if (method_names[i] != NULL) {
            cr_expect_eq(listed(method_names[i]), served(i), "%s", method_names[i]);
        }
        if (served(i)) {
            length += strlen(method_names[i]);
            count++;
        }
    }
    cr_expect_eq(request_line_methods().length, length + 2 * (count - 1), "and of nothing else");
}

Test(request_line, each_method)
{
    for (size_t i = 0; i < METHOD_NAMES; i++) {
        if (method_names[i] == NULL) {
            continue;
        }
        char line[64];
        struct request request = {0};
        size_t length;
        int written = snprintf(line, sizeof line, "%s / HTTP/1.1\r\n", method_names[i]);
        struct span span = {.data = line, .length = (size_t)written};
        struct parse_result v = request_line_read(span, false, &request, &length);
        cr_expect_eq(v.status, served(i) ? 200u : 501u, "%s: %u", method_names[i], v.status);
        cr_expect(!served(i) || request.method == i, "%s", method_names[i]);
    }
}

/* Every byte at each place of a usual line: read in the same way as by the other reading, or left to it. */
Test(request_line, usual)
{
    static const char usual[] = "GET /a/path/of/some.length HTTP/1.1\r\n";
    static const char rest[] = "Host: h\r\n\r\n";
    char head[sizeof usual + sizeof rest];
    unsigned taken = 0;
    for (size_t at = 0; at < sizeof usual - 1; at++) {
        for (int c = 0; c < 256; c++) {
            int length = snprintf(head, sizeof head, "%s%s", usual, rest);
            head[at] = (char)c;
            /* In blocks, and where a head ends too soon for them. */
            for (size_t known = sizeof usual - 1; known <= (size_t)length; known += sizeof rest - 1) {
                struct span span = {.data = head, .length = known};
                struct request one = {0};
                struct request two = {0};
                size_t line = 0;
                size_t got = request_line_read_usual(span, &one);
                struct parse_result result = request_line_read(span, false, &two, &line);
                if (got == 0) {
                    continue;
                }
                taken++;
                cr_expect(result.status == 200 && got == line && one.method == two.method &&
                              one.minor_version == two.minor_version && span_equal(one.target, two.target) &&
                              span_equal(one.path, two.path) && one.query.length == 0 &&
                              two.query.length == 0,
                          "0x%02x at %zu", (unsigned)c, at);
            }
        }
    }
    /* Only a byte of the target can differ: any of the 92 that are plain. */
    cr_expect_geq(taken, 2 * 92 * strlen("a/path/of/some.length"));
}
