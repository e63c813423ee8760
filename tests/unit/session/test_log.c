/* SPDX-License-Identifier: MIT */
/* The access log: what a line says of each request, what is escaped, what becomes of lines without room. */
#include "common/session/log.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/socket.h>

#include "common/base/json.h"
#include "tests/unit/support/ask.h"

#define DATE_TEXT           "[06/Nov/1994:08:49:37 +0000]"
#define LINE(request, rest) "192.0.2.1 - - " DATE_TEXT " \"" request "\" " rest "\n"

enum { TEXT_SIZE = 64 * 1024 };

/* A harness whose contexts write to one text: the clock goes 7 µs with each look. */
struct logged {
    struct harness harness;
    struct log logs[2];
    char texts[2][TEXT_SIZE];
    char text[TEXT_SIZE];
    size_t length;
};

static struct logged logged;
static uint64_t now;

static uint64_t fake_clock(void)
{
    return now += 7;
}

/* What a driver does, but that it writes to memory. */
static void flush(struct log *log)
{
    cr_assert_leq(logged.length + log->length, sizeof logged.text);
    memcpy(logged.text + logged.length, log->text, log->length);
    logged.length += log->length;
    log->length = 0;
    log->lines = 0;
}

static void begin(enum log_format format)
{
    now = 1000;
    logged.length = 0;
    harness_init(&logged.harness, ASK_HELD_LIMIT);
    for (int i = 0; i < 2; i++) {
        struct context *context = &logged.harness.contexts[i];
        logged.logs[i] = (struct log){.text = logged.texts[i],
                                      .size = TEXT_SIZE,
                                      .flush = flush,
                                      .format = format,
                                      .counters = context->counters,
                                      .budget = context->output.budget,
                                      .instance = "abc"};
        context->log = &logged.logs[i];
        context->adds_common_fields = true;
        context->clock_us = fake_clock;
    }
}

static const char *end(void)
{
    flush(&logged.logs[0]);
    flush(&logged.logs[1]);
    logged.text[logged.length] = '\0';
    harness_deinit(&logged.harness);
    return logged.text;
}

static const struct {
    struct ask ask;
    const char *line;
} rows[] = {
    {{.line = "GET /plaintext", .status = 200, .fields = {"X-Request-Id: abc-7-1"}},
     LINE("GET /plaintext HTTP/1.1", "200 13 7 test 7 abc-7-1")},
    {{.line = "HEAD /plaintext", .status = 200}, LINE("HEAD /plaintext HTTP/1.1", "200 0 7 test 7 abc-7-1")},
    {{.line = "GET /plaintext",
      .sent = "X-Request-ID:  a.B_1~+/=:@-  \r\n",
      .status = 200,
      .fields = {"X-Request-Id: a.B_1~+/=:@-"}},
     LINE("GET /plaintext HTTP/1.1", "200 13 7 test 7 a.B_1~+/=:@-")},
    {{.line = "GET /plaintext",
      .sent = "X-Request-Id: two words\r\n",
      .status = 200,
      .fields = {"X-Request-Id: abc-7-1"}},
     LINE("GET /plaintext HTTP/1.1", "200 13 7 test 7 abc-7-1")},
    {{.line = "GET /plaintext", .sent = "X-Request-Id: \x1b[1m\xff\r\n", .status = 400, .close = true}, NULL},
    {{.line = "GET /plaintext",
      .sent = "X-Request-Id:\r\nX-Request: b\r\n",
      .status = 200,
      .fields = {"X-Request-Id: abc-7-1"}},
     LINE("GET /plaintext HTTP/1.1", "200 13 7 test 7 abc-7-1")},
    {{.line = "POST /echo?a=b",
      .body = "hello",
      .status = 200,
      .fields = {"X-Request-Id: abc-7-1"},
      .answer = "hello"},
     LINE("POST /echo?a=b HTTP/1.1", "200 5 7 test 7 abc-7-1")},
    {{.line = "PUT /anything",
      .sent = "X-Request-Id: x\r\n",
      .body = "hello",
      .status = 200,
      .fields = {"X-Request-Id: x"},
      .within = "\"url\":\"http://h/anything\""},
     NULL},
    {{.line = "GET /bytes/2000000", .status = 200},
     LINE("GET /bytes/2000000 HTTP/1.1", "200 2000000 7 test 7 abc-7-1")},
    {{.line = "GET /delay/1ms", .status = 200, .fields = {"X-Request-Id: abc-7-1"}},
     LINE("GET /delay/1ms HTTP/1.1", "200 13 14 test 7 abc-7-1")},
    {{.line = "GET /compute/1", .status = 200, .fields = {"X-Request-Id: abc-7-1"}}, NULL},
    {{.line = "GET /nowhere", .status = 404, .fields = {"X-Request-Id: abc-7-1"}}, NULL},
    {{.line = "GET /status/204", .status = 204}, LINE("GET /status/204 HTTP/1.1", "204 0 7 test 7 abc-7-1")},
    {{.line = "NIX /\x1b[2J\"\\\xc3\xa4", .status = 501, .fields = {"X-Request-Id: abc-7-1"}, .close = true},
     NULL},
    {{.line = "GET /\x1b[2J", .status = 400, .fields = {"X-Request-Id: abc-7-1"}, .close = true}, NULL},
    {{.line = "GET /plaintext",
      .sent = "Host: i\r\n",
      .status = 400,
      .fields = {"X-Request-Id: abc-7-1"},
      .close = true},
     NULL},
    {{.line = "POST /anything", .sent = "Content-Length: 300001\r\n", .status = 413, .close = true}, NULL},
};

/* Each of them alone leaves one line. */
Test(log, lines)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin(LOG_TEXT);
        const char *wrong = ask_judge(&logged.harness, &rows[i].ask);
        cr_expect(wrong == NULL, "%s: %s", rows[i].ask.line, wrong);
        const char *text = end();
        cr_expect(strchr(text, '\n') == text + strlen(text) - 1, "row %zu: not one line: %s", i, text);
        if (rows[i].line != NULL) {
            cr_expect_str_eq(text, rows[i].line, "row %zu: %s", i, text);
        }
    }
}

/* Nothing in a line does anything to a terminal, or ends a string. */
static void expect_harmless(const char *text, size_t quotes)
{
    size_t found = 0;
    for (const char *p = text; *p != '\0'; p++) {
        cr_expect((*p >= ' ' && *p <= '~') || *p == '\n', "byte %d in %s", *p, text);
        found += *p == '"' && p[-1] != '\\';
    }
    cr_expect_eq(found, quotes, "%s", text);
}

/* Requests that were not understood: as far as their line came. */
static const struct {
    const char *bytes;
    const char *text;
    const char *json;
} malformed[] = {
    {"NIX / HTTP/1.1\r\n\r\n", "\"NIX \" 501 ", "\"request\":\"NIX \",\"status\":501,"},
    {"GET /\x1b[1m HTTP/1.1\r\n\r\n", "\"GET /\\x1b\" 400 ", "\"request\":\"GET /\\u001b\",\"status\":400,"},
    {"\"\\\x7f\xff", "\"\\x22\" 400 ", "\"request\":\"\\\"\",\"status\":400,"},
    {"GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "\"GET /a HTTP/1.1\" 400 ",
     "\"request\":\"GET /a HTTP/1.1\","},
    {"GET /a HTTP/1.1\r\nBad Name: x\r\n\r\n", "\"GET /a HTTP/1.1\" 400 ",
     "\"request\":\"GET /a HTTP/1.1\","},
    {"GET /a HTTP/1.1\r\nX: y", "\"GET /a HTTP/1.1\" 400 ", "\"request\":\"GET /a HTTP/1.1\","},
    {"GET /a", "\"GET /a\" 400 ", "\"request\":\"GET /a\","},
    {"\n", "\"\" 400 ", "\"request\":\"\","},
};

Test(log, malformed)
{
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        for (enum log_format format = LOG_TEXT; format <= LOG_JSON; format++) {
            struct script script = {.input = {malformed[i].bytes, strlen(malformed[i].bytes)}, .eof = true};
            struct transcript transcript;
            const char *wanted = format == LOG_TEXT ? malformed[i].text : malformed[i].json;
            begin(format);
            transcript_run(&logged.harness, &script, &transcript);
            const char *text = end();
            cr_expect_not_null(strstr(text, wanted), "row %zu: no %s in %s", i, wanted, text);
            cr_expect_not_null(strstr(text, "abc-7-1"), "row %zu: %s", i, text);
            expect_harmless(text, format == LOG_TEXT ? 2 : 28);
            transcript_free(&transcript);
        }
    }
}

Test(log, json)
{
    static const struct ask asks[] = {
        {.line = "GET /plaintext?<q>", .sent = "X-Request-Id: x\r\n", .status = 200},
    };
    begin(LOG_JSON);
    ASK_ALL_OF(&logged.harness, asks)
    cr_expect_str_eq(end(),
                     "{\"time\":\"1994-11-06T08:49:37Z\",\"remote\":\"192.0.2.1:1234\",\"method\":\"GET\","
                     "\"target\":\"/plaintext?<q>\",\"protocol\":\"HTTP/1.1\",\"status\":200,\"bytes\":13,"
                     "\"duration_us\":7,\"mode\":\"test\",\"connection\":7,\"request_id\":\"x\"}\n");
}

/* The request's fields, without what authenticates. */
static const char *log_headers(const char *sent, bool secrets, const char *line, const char *body)
{
    struct ask ask = {.line = line, .sent = sent, .body = body, .status = 200};
    begin(LOG_JSON);
    for (int i = 0; i < 2; i++) {
        logged.logs[i].headers = true;
        logged.logs[i].secrets = secrets;
    }
    const char *wrong = ask_judge(&logged.harness, &ask);
    cr_expect(wrong == NULL, "%s", wrong);
    const char *text = end();
    cr_expect_leq(strlen(text), LOG_LINE_MAX, "%zu", strlen(text));
    cr_expect(json_utf8_valid((struct span){text, strlen(text)}));
    cr_expect_str_eq(text + strlen(text) - 2, "}\n");
    return text;
}

Test(log, headers)
{
    static const char sent[] =
        "Cookie: a=b\r\nAUTHORIZATION: Basic x\r\nproxy-authorization: y\r\nX-A: \"<\xff\t\r\nX-A:\r\n";
    static const char hidden[] =
        ",\"request_id\":\"abc-7-1\",\"headers\":[[\"Host\",\"h\"],[\"Cookie\",\"***\"],"
        "[\"AUTHORIZATION\",\"***\"],[\"proxy-authorization\",\"***\"],"
        "[\"X-A\",\"\\\"\\u003c\\u00ff\"],[\"X-A\",\"\"]]}\n";
    static const char shown[] =
        "[\"Cookie\",\"a=b\"],[\"AUTHORIZATION\",\"Basic x\"],[\"proxy-authorization\",\"y\"]";
    static const char *const lines[] = {"GET /plaintext", "GET /delay/1s", "GET /anything",
                                        "GET /bytes/200000"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        const char *text = log_headers(sent, false, lines[i], NULL);
        cr_expect_not_null(strstr(text, hidden), "%s: %s", lines[i], text);
        text = log_headers(sent, true, lines[i], NULL);
        cr_expect_not_null(strstr(text, shown), "%s: %s", lines[i], text);
    }
    const char *text = log_headers("X-A: 1\r\n", false, "POST /echo", "hello");
    cr_expect_not_null(strstr(text, "[\"X-A\",\"1\"],[\"Content-Length\",\"5\"]]}"), "%s", text);
}

/* A line is cut where a pipe would take it in two. */
Test(log, many_headers)
{
    static char sent[16000];
    static const char *const values[] = {"a", "\xff", "\"", "\xc3\xa4"};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        for (size_t length = 1; length < 3000; length += 97) {
            char *at = sent;
            for (int field = 0; field < 4; field++) {
                at += sprintf(at, "X-%d: ", field);
                for (size_t j = 0; j < length; j++) {
                    *at++ = values[i][j % strlen(values[i])];
                }
                at += sprintf(at, "\r\n");
            }
            const char *text = log_headers(sent, false, "GET /plaintext", NULL);
            bool cut = strstr(text, "],\"truncated\":true}\n") != NULL;
            cr_expect(cut || strstr(text, "\"X-3\"") != NULL, "%s", text);
            cr_expect(cut || length < 1000, "%zu: %s", length, text);
        }
    }
}

/* Paths that are left out, and requests that never are. */
Test(log, skip)
{
    static const struct span skip[] = {SPAN_LITERAL("/healthz"), SPAN_LITERAL("/delay/1ms")};
    static const struct {
        struct ask ask;
        bool logged;
    } cases[] = {
        {{.line = "GET /healthz", .status = 200, .fields = {"X-Request-Id: abc-7-1"}}, false},
        {{.line = "GET /healthz?a", .status = 200}, false},
        {{.line = "POST /healthz", .body = "x", .status = 405}, false},
        {{.line = "GET /delay/1ms", .status = 200}, false},
        {{.line = "GET http://h/healthz", .status = 200}, false},
        {{.line = "GET /healthz/", .status = 404}, true},
        {{.line = "GET /%68ealthz", .status = 404}, true},
        {{.line = "GET /readyz", .status = 200}, true},
        {{.line = "GET /healthz", .sent = "Host: i\r\n", .status = 400, .close = true}, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin(LOG_TEXT);
        for (int j = 0; j < 2; j++) {
            logged.logs[j].skip = skip;
            logged.logs[j].skip_count = 2;
        }
        const char *wrong = ask_judge(&logged.harness, &cases[i].ask);
        cr_expect(wrong == NULL, "%s: %s", cases[i].ask.line, wrong);
        cr_expect_eq(*end() != '\0', cases[i].logged, "row %zu", i);
    }
}

/* What went wrong on request, with the status that would have been sent. */
Test(log, faults)
{
    static const struct {
        const char *query;
        const char *text;
        const char *json;
    } cases[] = {
        {"status=503", " 503 5 7 test 7 abc-7-1 status\n",
         ",\"request_id\":\"abc-7-1\",\"fault\":\"status\"}\n"},
        {"status=404&abort=reset", " 404 0 7 test 7 abc-7-1 status,reset\n", "\"fault\":\"status,reset\"}\n"},
        {"abort=before", " 200 0 7 test 7 abc-7-1 before\n", "\"fault\":\"before\"}\n"},
        {"abort=body:2&close=true", " 200 2 7 test 7 abc-7-1 close,body\n", "\"fault\":\"close,body\"}\n"},
        {"abort=body:9", " 200 5 7 test 7 abc-7-1 body\n", "\"fault\":\"body\"}\n"},
        {"abort=garbage", " 200 0 7 test 7 abc-7-1 garbage\n", "\"fault\":\"garbage\"}\n"},
        {"abort=stall", " 200 0 14 test 7 abc-7-1 stall\n", "\"fault\":\"stall\"}\n"},
        {"status=200&close=false&delay=0", " 200 5 7 test 7 abc-7-1\n", "\"request_id\":\"abc-7-1\"}\n"},
        {"abort=reset&status=1", " 7 test 7 abc-7-1\n", "\"request_id\":\"abc-7-1\"}\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (enum log_format format = LOG_TEXT; format <= LOG_JSON; format++) {
            char input[256];
            struct transcript transcript;
            int length = snprintf(input, sizeof input,
                                  "POST /echo?%s HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
                                  cases[i].query);
            struct script script = {.input = {input, (size_t)length}, .eof = true};
            begin(format);
            transcript_run(&logged.harness, &script, &transcript);
            const char *text = end();
            const char *wanted = format == LOG_TEXT ? cases[i].text : cases[i].json;
            cr_expect(strstr(text, wanted) != NULL && strchr(text, '\n') == text + strlen(text) - 1,
                      "row %zu: %s", i, text);
            cr_expect(transcript.problem[0] == '\0', "%s", transcript.problem);
            transcript_free(&transcript);
        }
    }
}

/* Pipelined, in any split, sent in any way: a line for each, in their order. */
Test(log, pipelined)
{
    static const char input[] =
        "GET /plaintext HTTP/1.1\r\nHost: h\r\n\r\n"
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nX-Request-Id: id\r\n\r\nabc"
        "GET /bytes/100000 HTTP/1.1\r\nHost: h\r\n\r\n"
        "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"
        "NIX";
    static const char *const parts[] = {"\"GET /plaintext HTTP/1.1\" 200 13 ",
                                        "\"POST /echo HTTP/1.1\" 200 3 ",
                                        "test 7 id\n",
                                        "\"GET /bytes/100000 HTTP/1.1\" 200 100000 ",
                                        "\"POST /echo HTTP/1.1\" 200 2 ",
                                        "abc-7-4\n",
                                        "\"NIX\" 400 ",
                                        "abc-7-5\n"};
    for (size_t piece = 0; piece < sizeof input; piece++) {
        for (enum send_pattern send = SEND_ALL; send <= SEND_LAST; send++) {
            struct script script = {
                .input = TEXT(input), .piece = piece, .send = send, .some = 77, .eof = true};
            struct transcript transcript;
            begin(LOG_TEXT);
            logged.harness.contexts[0].log = &logged.logs[0];
            logged.harness.contexts[1].log = &logged.logs[0]; /* so that the order is seen */
            transcript_run(&logged.harness, &script, &transcript);
            const char *at = end();
            for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
                const char *found = strstr(at, parts[i]);
                cr_assert_not_null(found, "piece %zu: no %s in %s", piece, parts[i], logged.text);
                at = found + strlen(parts[i]);
            }
            cr_expect_str_eq(at, "", "piece %zu", piece);
            transcript_free(&transcript);
        }
    }
}

/* A connection that is lost: inside an answer, and before it. */
static void lose(const char *request, const char *wanted)
{
    struct drive drive;
    struct transcript transcript;
    begin(LOG_TEXT);
    drive_init(&drive, &logged.harness, &transcript, REFUSAL_NOT);
    drive_enter(&drive);
    drive_feed(&drive, (struct span){request, strlen(request)});
    drive_leave(&drive);
    session_log_abandoned(&drive.session, &logged.harness.contexts[0]);
    drive_deinit(&drive);
    const char *text = end();
    cr_expect(wanted == NULL ? text[0] == '\0' : strstr(text, wanted) != NULL, "%s: %s", request, text);
    cr_expect(strchr(text, '\n') == strrchr(text, '\n'));
    transcript_free(&transcript);
}

Test(log, lost_connections)
{
    lose("GET /delay/1s HTTP/1.1\r\nHost: h\r\n\r\n", "\"GET /delay/1s HTTP/1.1\" - 0 ");
    lose("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc", "\"POST /echo HTTP/1.1\" - 0 ");
    lose("GET /bytes/9000000 HTTP/1.1\r\nHost: h\r\n\r\n", "\"GET /bytes/9000000 HTTP/1.1\" 200 ");
    lose("GET /plaintext HTTP/1.1\r\nHost: h\r\n\r\n", "\"GET /plaintext HTTP/1.1\" 200 13 ");
    lose("GET /plaintext HTTP/1.1\r\nHost", NULL);
}

static struct log_entry entry_of(const struct peer *peer, struct span target)
{
    return (struct log_entry){.date = HARNESS_DATE,
                              .peer = peer,
                              .mode = "process",
                              .target = target,
                              .id = SPAN_LITERAL("id"),
                              .bytes = UINT64_MAX,
                              .duration_us = UINT64_MAX,
                              .connection = UINT64_MAX,
                              .status = 200,
                              .understood = true,
                              .method = HTTP_GET,
                              .minor_version = 1};
}

/* The longest of everything fits, however it must be escaped. */
Test(log, long_targets)
{
    static const char *const fills[] = {"a", "\"", "\x1b", "\xff", "\xc3\xa4", "\xf0\x9f\x98\x80"};
    static char target[20000];
    struct peer peer = {.family = AF_INET6, .port = 65535};
    memset(peer.address, 0xff, sizeof peer.address);
    for (enum log_format format = LOG_TEXT; format <= LOG_JSON; format++) {
        for (size_t i = 0; i < sizeof fills / sizeof fills[0]; i++) {
            for (size_t length = 400; length < sizeof target; length += 997) {
                for (size_t j = 0; j < length; j++) {
                    target[j] = fills[i][j % strlen(fills[i])];
                }
                begin(format);
                struct log_entry entry = entry_of(&peer, (struct span){target, length});
                log_write(&logged.logs[0], &entry);
                cr_assert_leq(logged.logs[0].length, LOG_LINE_MAX);
                const char *text = end();
                cr_expect(json_utf8_valid((struct span){text, strlen(text)}), "%zu: %s", i, text);
                cr_expect(length < 8000 || strstr(text, "...") != NULL);
            }
        }
    }
}

static void no_flush(struct log *log)
{
    (void)log;
}

/* Lines without room are counted, those there stay whole. */
Test(log, no_room)
{
    struct peer peer = {.family = AF_UNIX};
    struct log_entry entry = entry_of(&peer, SPAN_LITERAL("/"));
    begin(LOG_TEXT);
    struct log *log = &logged.logs[0];
    struct counters *counters = log->counters;
    log->size = 3 * LOG_LINE_MAX;
    log->flush = no_flush;
    for (int i = 0; i < 1000; i++) {
        log_write(log, &entry);
    }
    cr_expect_leq(log->length, log->size);
    cr_expect_eq(log->lines + atomic_load(&counters->log_lost), 1000);
    cr_expect_gt(log->lines, 10);
    uint64_t lines = 0;
    for (size_t i = 0; i < log->length; i++) {
        lines += log->text[i] == '\n';
    }
    cr_expect_eq(lines, log->lines);
    cr_expect_eq(strncmp(log->text, "unix: - - " DATE_TEXT " \"GET / HTTP/1.1\" 200 ", 60), 0, "%.80s",
                 log->text);
    log->flush = flush;
    end();
}

/* A line is written once it has waited long enough, and at once while the server drains. */
Test(log, due)
{
    static const struct ask ask[] = {{.line = "GET /plaintext", .status = 200}};
    begin(LOG_TEXT);
    logged.harness.contexts[1].log = &logged.logs[0];
    ASK_ALL_OF(&logged.harness, ask)
    cr_expect_eq(logged.logs[0].lines, 1);
    now += LOG_WAIT_US - 100;
    ASK_ALL_OF(&logged.harness, ask)
    cr_expect_eq(logged.logs[0].lines, 2);
    now += 100;
    ASK_ALL_OF(&logged.harness, ask)
    cr_expect_eq(logged.logs[0].lines, 0);
    ASK_ALL_OF(&logged.harness, ask)
    cr_expect_eq(logged.logs[0].lines, 1);
    static const struct ask last[] = {{.line = "GET /plaintext", .status = 200, .close = true}};
    atomic_store(&logged.harness.scoreboard->draining, true);
    ASK_ALL_OF(&logged.harness, last)
    cr_expect_eq(logged.logs[0].lines, 0);
    end();
}

Test(log, ids)
{
    static const struct {
        const char *fields;
        const char *id;
    } cases[] = {
        {"", ""},
        {"Host: h\r\n", ""},
        {"X-Request-Id: 1\r\n", "1"},
        {"Host: h\r\nx-request-id:abc\r\nX: y\r\n", "abc"},
        {"X-Request-Id: a\r\nX-Request-Id: b\r\n", "a"},
        {"X-Request-Id: \r\nX-Request-Id: b\r\n", ""},
        {"X-Request-Idx: a\r\n", ""},
        {"X-Request-I: a\r\n", ""},
        {"X-Request-Id: a,b\r\n", ""},
        {"X-Request-Id: a\"b\r\n", ""},
        {"X-Request-Id: \xc3\xa4\r\n", ""},
        {"X-Request-Id: {a}\r\n", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct span id = log_find_id((struct span){cases[i].fields, strlen(cases[i].fields)});
        cr_expect(span_equal(id, (struct span){cases[i].id, strlen(cases[i].id)}), "row %zu", i);
    }
    char fields[300];
    for (int length = 100; length < 200; length++) {
        int end_at = snprintf(fields, sizeof fields, "X-Request-Id: %0*d\r\n", length, 1);
        cr_expect_eq(log_find_id((struct span){fields, (size_t)end_at}).length,
                     length <= LOG_ID_MAX ? (size_t)length : 0);
    }
    struct log log = {.instance = "0123456789ab"};
    char made[LOG_ID_MAX];
    cr_expect_leq(log_make_id(&log, made, UINT64_MAX, UINT32_MAX) - made, LOG_ID_MAX);
}
