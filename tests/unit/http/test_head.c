/* SPDX-License-Identifier: MIT */
/* What a header section means: Host, framing, persistence, expectation (RFC 9110 and 9112). */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/http/head.h"

#define HOST    "Host: h\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n"

static int pause_parser(llhttp_t *parser)
{
    (void)parser;
    return HPE_PAUSED;
}

/* A head in a block of its size, with what was read of it. */
struct reading {
    char *bytes;
    struct request request;
    unsigned status;
};

/* A head that llhttp refuses is a 400. */
static void read_lines(struct reading *reading, const char *line, const char *lines)
{
    static const llhttp_settings_t settings = {.on_headers_complete = pause_parser};
    llhttp_t parser;
    const char *end = NULL;
    int length = asprintf(&reading->bytes, "%s%s\r\n", line, lines);
    cr_assert_geq(length, 0);
    reading->bytes = realloc(reading->bytes, (size_t)length); /* no NUL behind it */
    llhttp_init(&parser, HTTP_REQUEST, &settings);
    reading->status = 400;
    reading->request = (struct request){.host = SPAN_LITERAL("")};
    if (llhttp_execute(&parser, reading->bytes, (size_t)length) != HPE_PAUSED) {
        return;
    }
    struct span whole = {.data = reading->bytes, .length = (size_t)length};
    size_t line_length = 0;
    cr_assert_eq(request_line_read(whole, false, &reading->request, &line_length).status, 200);
    struct parse_result v = head_read(span_between(whole.data + line_length, whole.data + whole.length),
                                      &parser, &reading->request, &end);
    cr_expect_not_null(v.detail);
    reading->status = v.status;
    if (v.status == 200) {
        cr_expect_eq(end, whole.data + whole.length);
        cr_expect(span_equal(reading->request.fields, span_between(whole.data + line_length, end - 2)));
    }
}

static bool is(struct span span, const char *text)
{
    return span.length == strlen(text) && memcmp(span.data, text, span.length) == 0;
}

static const char *row_line(int minor)
{
    return minor == 0 ? "GET / HTTP/1.0\r\n" : "GET / HTTP/1.1\r\n";
}

/* ---- Host (RFC 9112, 3.2) ---- */

static const struct {
    int minor;
    const char *lines;
    unsigned status;
    const char *host;
} hosts[] = {
    {1, HOST, 200, "h"},
    {1, "host:h:80\r\n", 200, "h:80"},
    {1, "HOST: \t h \t\r\n", 200, "h"},
    {1, "A: b\r\nHost: example.com\r\nC: d\r\n", 200, "example.com"},
    {1, "Host: [::1]:8080\r\n", 200, "[::1]:8080"},
    {1, "Host: a%20b\r\n", 200, "a%20b"},
    {1, "Host:\r\n", 400, NULL},
    {1, "Host: \r\n", 400, NULL},
    {1, "Host:\t\r\n", 400, NULL},
    {1, "Host: :80\r\n", 400, NULL},
    {1, "Host: :\r\n", 400, NULL},
    {0, "Host:\r\n", 400, NULL},
    {1, "Hosts: x\r\nXHost: y\r\n" HOST "Host-A: z\r\n", 200, "h"},
    {0, "", 200, ""},
    {0, HOST, 200, "h"},
    {1, "", 400, NULL},
    {1, "Hosts: h\r\n", 400, NULL},
    {1, HOST HOST, 400, NULL},
    {1, HOST "A: b\r\nhOST: h\r\n", 400, NULL},
    {1, HOST "Host:\r\n", 400, NULL},
    {1, "Host:\r\n" HOST, 400, NULL},
    {0, HOST HOST, 400, NULL},
    {1, "Host: a b\r\n", 400, NULL},
    {1, "Host: u@h\r\n", 400, NULL},
    {1, "Host: h/\r\n", 400, NULL},
    {1, "Host: http://h\r\n", 400, NULL},
    {1, "Host: h:x\r\n", 400, NULL},
    {1, "Host: [::1\r\n", 400, NULL},
    {1, "Host: h\xc3\xa9\r\n", 400, NULL},
    {0, "Host: a b\r\n", 400, NULL},
};

Test(head, host)
{
    struct reading r;
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        read_lines(&r, row_line(hosts[i].minor), hosts[i].lines);
        cr_expect_eq(r.status, hosts[i].status, "row %zu, %s: %u", i, hosts[i].lines, r.status);
        cr_expect(hosts[i].host == NULL || is(r.request.host, hosts[i].host), "row %zu: %.*s", i,
                  (int)r.request.host.length, r.request.host.data);
        free(r.bytes);
    }
}

/* The authority comes from the target (RFC 9112, 3.2.2), but a Host field there must be all the same, and be valid. */
Test(head, absolute_target)
{
    static const struct {
        const char *lines;
        unsigned status;
    } rows[] = {{HOST, 200}, {"Host: other\r\n", 200}, {"", 400}, {"Host: a b\r\n", 400}, {HOST HOST, 400}};
    struct reading r;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        read_lines(&r, "GET http://target:81/ HTTP/1.1\r\n", rows[i].lines);
        cr_expect_eq(r.status, rows[i].status, "row %zu: %u", i, r.status);
        cr_expect(is(r.request.host, "target:81"), "row %zu", i);
        free(r.bytes);
    }
}

/* ---- framing (RFC 9112, 6) ---- */

static const struct {
    int minor;
    const char *lines; /* behind a Host */
    unsigned status;
    enum framing framing;
    uint64_t length;
} framings[] = {
    {1, "", 200, FRAMING_NONE, 0},
    {1, "Content-Length: 0\r\n", 200, FRAMING_LENGTH, 0},
    {1, "Content-Length: 5\r\n", 200, FRAMING_LENGTH, 5},
    {1, "content-length:\t005 \r\n", 200, FRAMING_LENGTH, 5},
    {1, "Content-Length: 18446744073709551615\r\n", 200, FRAMING_LENGTH, UINT64_MAX},
    {0, "Content-Length: 5\r\n", 200, FRAMING_LENGTH, 5},
    {1, CHUNKED, 200, FRAMING_CHUNKED, 0},
    {1, "transfer-ENCODING:\tCHUNKED \r\n", 200, FRAMING_CHUNKED, 0},
    {1, "Transfer-Encodings: x\r\nContent-Lengths: 7\r\n", 200, FRAMING_NONE, 0},
    {1, "Content-Length: 18446744073709551616\r\n", 400, 0, 0},
    {1, "Content-Length:\r\n", 400, 0, 0},
    {1, "Content-Length: -1\r\n", 400, 0, 0},
    {1, "Content-Length: +1\r\n", 400, 0, 0},
    {1, "Content-Length: 0x5\r\n", 400, 0, 0},
    {1, "Content-Length: 5 5\r\n", 400, 0, 0},
    {1, "Content-Length: 5, 5\r\n", 400, 0, 0},
    {1, "Content-Length: 5\r\nContent-Length: 5\r\n", 400, 0, 0},
    {1, "Content-Length: 5\r\nContent-Length: 6\r\n", 400, 0, 0},
    {1, "Content-Length: 5\r\n" CHUNKED, 400, 0, 0},
    {1, CHUNKED "Content-Length: 5\r\n", 400, 0, 0},
    {0, CHUNKED, 400, 0, 0},
    {0, "Transfer-Encoding: gzip, chunked\r\n", 400, 0, 0},
    {1, CHUNKED CHUNKED, 400, 0, 0},
    {1, "Transfer-Encoding: chunked, chunked\r\n", 400, 0, 0},
    {1, "Transfer-Encoding: chunked, gzip\r\n", 400, 0, 0},
    {1, "Transfer-Encoding: gzip\r\n", 400, 0, 0},
    {1, "Transfer-Encoding: identity\r\n", 400, 0, 0},
    {1, "Transfer-Encoding: xchunked\r\n", 400, 0, 0},
    {1, "Transfer-Encoding: chunkedx\r\n", 400, 0, 0},
    {1, "Transfer-Encoding: \"chunked\"\r\n", 400, 0, 0},
    {1, "Transfer-Encoding:\r\n", 400, 0, 0},
    {1, "Transfer-Encoding: ,chunked\r\n", 400, 0, 0},
    {1, "Transfer-Encoding: chunked,\r\n", 400, 0, 0},
    {1, "Transfer-Encoding: gzip,,chunked\r\n", 400, 0, 0},
    {1, "Transfer-Encoding: gzip, , chunked\r\n", 400, 0, 0},
    {1, "Transfer-Encoding: g@zip, chunked\r\n", 400, 0, 0},
    {1, CHUNKED "Transfer-Encoding: gzip\r\n", 400, 0, 0},
    {1, CHUNKED "Transfer-Encoding:\r\n", 400, 0, 0},
    {1, "Transfer-Encoding: gzip, chunked\r\n", 501, 0, 0},
    {1, "Transfer-Encoding: gzip,CHUNKED\r\n", 501, 0, 0},
    {1, "Transfer-Encoding: gzip;q=1, chunked\r\n", 501, 0, 0},
    {1, "Transfer-Encoding: identity, chunked\r\n", 501, 0, 0},
    {1, "Transfer-Encoding: gzip\r\n" CHUNKED, 501, 0, 0},
    /* section syntax (RFC 9112, 5) */
    {1, "A : b\r\n", 400, 0, 0},
    {1, " A: b\r\n", 400, 0, 0},
    {1, "A: b\r\n c\r\n", 400, 0, 0},
    {1, "A: b\r\n\tc\r\n", 400, 0, 0},
    {1, "A\r\n", 400, 0, 0},
    {1, ": b\r\n", 400, 0, 0},
    {1, "A(: b\r\n", 400, 0, 0},
    {1, "\xc3\xa9: b\r\n", 400, 0, 0},
    {1, "A: b\n", 400, 0, 0},
    {1, "A: b\rc\r\n", 400, 0, 0},
    {1, "A: b\x01\r\n", 400, 0, 0},
    {1, "A: b\x7f\r\n", 400, 0, 0},
    {1, "A: \xe9\r\n", 200, FRAMING_NONE, 0},
    {1, "A: b\tc\r\n", 200, FRAMING_NONE, 0},
    {1, "A:\r\n", 200, FRAMING_NONE, 0},
};

Test(head, framing)
{
    struct reading r;
    for (size_t i = 0; i < sizeof framings / sizeof framings[0]; i++) {
        char lines[200];
        snprintf(lines, sizeof lines, HOST "%s", framings[i].lines);
        read_lines(&r, row_line(framings[i].minor), lines);
        cr_expect_eq(r.status, framings[i].status, "row %zu, %s: %u", i, framings[i].lines, r.status);
        if (r.status == 200) {
            cr_expect_eq(r.request.framing, framings[i].framing, "%s", framings[i].lines);
            cr_expect(r.request.framing != FRAMING_LENGTH || r.request.content_length == framings[i].length,
                      "%s", framings[i].lines);
        }
        free(r.bytes);
    }
}

/* ---- persistence (RFC 9112, 9.3), expectation (RFC 9110, 10.1.1), Content-Type ---- */

static const struct {
    const char *lines;
    bool kept[2]; /* by 1.0, by 1.1 */
} connections[] = {
    {"", {false, true}},
    {"Connection: close\r\n", {false, false}},
    {"Connection: keep-alive\r\n", {true, true}},
    {"connection:Keep-Alive\r\n", {true, true}},
    {"Connection: keep-alive, close\r\n", {false, false}},
    {"Connection: a ,\tCLOSE , b\r\n", {false, false}},
    {"Connection: ,keep-alive,\r\n", {true, true}},
    {"Connection: close\r\nConnection: keep-alive\r\n", {false, false}},
    {"Connection: keep-alive\r\nConnection: close\r\n", {false, false}},
    {"Connection: x\r\nConnection: keep-alive\r\n", {true, true}},
    {"Connection: closed\r\n", {false, true}},
    {"Connection: close-x\r\n", {false, true}},
    {"Connection: x-close\r\n", {false, true}},
    {"Connection: clos\r\n", {false, true}},
    {"Connection:\r\n", {false, true}},
    {"Connection: Upgrade\r\nUpgrade: h2c\r\n", {false, true}},
    {"Connections: close\r\n", {false, true}},
    {"Proxy-Connection: close\r\n", {false, true}},
    {"Keep-Alive: 5\r\n", {false, true}},
};

Test(head, connection)
{
    struct reading r;
    for (size_t i = 0; i < sizeof connections / sizeof connections[0]; i++) {
        for (int minor = 0; minor < 2; minor++) {
            char lines[200];
            snprintf(lines, sizeof lines, "%s" HOST, connections[i].lines);
            read_lines(&r, row_line(minor), lines);
            cr_expect_eq(r.status, 200);
            cr_expect_eq(r.request.keep_alive, connections[i].kept[minor], "1.%d, %s", minor,
                         connections[i].lines);
            free(r.bytes);
        }
    }
}

static const struct {
    int minor;
    const char *lines;
    enum expect expect;
} expectations[] = {
    {1, "", EXPECT_NOTHING},
    {1, "Expect: 100-continue\r\n", EXPECT_CONTINUE},
    {1, "EXPECT:100-Continue \r\n", EXPECT_CONTINUE},
    {1, "Expect: 100-continue\r\nExpect: 100-continue\r\n", EXPECT_CONTINUE},
    {1, "Expect: x\r\n", EXPECT_UNKNOWN},
    {1, "Expect: 100-continued\r\n", EXPECT_UNKNOWN},
    {1, "Expect: 100-continue, x\r\n", EXPECT_UNKNOWN},
    {1, "Expect: x\r\nExpect: 100-continue\r\n", EXPECT_UNKNOWN},
    {1, "Expect: 100-continue\r\nExpect: x\r\n", EXPECT_UNKNOWN},
    {1, "Expects: x\r\n", EXPECT_NOTHING},
    {0, "Expect: 100-continue\r\n", EXPECT_NOTHING},
    {0, "Expect: x\r\n", EXPECT_NOTHING},
};

Test(head, expect)
{
    struct reading r;
    for (size_t i = 0; i < sizeof expectations / sizeof expectations[0]; i++) {
        char lines[200];
        snprintf(lines, sizeof lines, HOST "%s", expectations[i].lines);
        read_lines(&r, row_line(expectations[i].minor), lines);
        cr_expect_eq(r.status, 200);
        cr_expect_eq(r.request.expect, expectations[i].expect, "row %zu: %s", i, expectations[i].lines);
        free(r.bytes);
    }
}

Test(head, content_type)
{
    static const struct {
        const char *lines;
        const char *type;
    } rows[] = {
        {HOST, ""},
        {HOST "Content-Type: text/html; charset=utf-8\r\n", "text/html; charset=utf-8"},
        {"content-type:\ta/b \r\n" HOST, "a/b"},
        {HOST "Content-Types: a/b\r\nContent-Typ: c/d\r\n", ""},
        {HOST "Content-Type:\r\n", ""},
    };
    struct reading r;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        read_lines(&r, row_line(1), rows[i].lines);
        cr_expect(r.status == 200 && is(r.request.content_type, rows[i].type), "row %zu", i);
        free(r.bytes);
    }
}
