/* SPDX-License-Identifier: MIT */
/* The table of flags: each kind of value, and that every row is sound. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "server/settings/flag_value.h"

#define KIB UINT64_C(1024)

static const struct mode_name MODES[] = {
    {"thread", "one", NULL}, {"event", "another", NULL}, {"uring", NULL, "not here"}, {NULL, NULL, NULL}};

static const struct flag *find(const char *name)
{
    const struct flag *flag = flag_find(name, strlen(name));
    cr_assert_not_null(flag, "%s", name);
    return flag;
}

static bool set(struct options *options, const char *name, const char *value)
{
    const char *why = NULL;
    bool good = flag_set(find(name), options, MODES, value, strlen(value), &why);
    cr_assert_not_null(why);
    return good;
}

Test(flag, values)
{
    static const struct {
        const char *name;
        const char *value;
        bool good;
    } cases[] = {
        {"mode", "thread", true},
        {"mode", "event", true},
        {"mode", "even", false},
        {"mode", "events", false},
        {"mode", "EVENT", false},
        {"mode", "", false},
        {"mode", "uring", false},
        {"mode", "uri", false},
        {"loops", "1", true},
        {"loops", "1024", true},
        {"loops", "0", false},
        {"loops", "1025", false},
        {"loops", "4294967297", false},
        {"loops", "1k", false},
        {"stack-size", "1g", true},
        {"stack-size", "128k", true},
        {"stack-size", "16383", false},
        {"stack-size", "1073741825", false},
        {"max-body-size", "0", true},
        {"max-body-size", "8g", true},
        {"max-body-size", "1025g", false},
        {"max-body-size", "8t", false},
        {"max-header-size", "256", true},
        {"max-header-size", "255", false},
        {"max-buffer-memory", "64k", true},
        {"max-buffer-memory", "63k", false},
        {"idle-timeout", "1ms", true},
        {"idle-timeout", "1440m", true},
        {"idle-timeout", "0", false},
        {"idle-timeout", "1440.1m", false},
        {"idle-timeout", "1h", false},
        {"drain-delay", "0", true},
        {"drain-timeout", "0s", true},
        {"listen", "*:80", true},
        {"listen", "*", false},
        {"admin-listen", "unix:/run/admin", true},
        {"access-log", "-", true},
        {"access-log", "", false},
        {"check", "http://127.0.0.1:8080/readyz", true},
        {"log-format", "text", true},
        {"log-format", "json", true},
        {"log-format", "xml", false},
        {"cors", "on", true},
        {"cors", "TRUE", true},
        {"cors", "Yes", true},
        {"cors", "nO", true},
        {"cors", "False", true},
        {"cors", "OFF", true},
        {"cors", "y", false},
        {"cors", "10", false},
        {"cors", "0", true},
        {"cors", "maybe", false},
        {"cors", "", false},
        {"max-delay", "60m", true},
        {"max-delay", "60.1m", false},
        {"max-delay", "0", true},
        {"max-requests", "0", true},
        {"max-requests", "4294967295", true},
        {"max-requests", "4294967296", false},
        {"fault-seed", "1", true},
        {"fault-seed", "0", false},
        {"name", "blue-1.example/a:b", true},
        {"name", "", false},
        {"name", "two words", false},
        {"name", "\xc3\xa4", false},
        {"name", "0123456789012345678901234567890123456789012345678901234567890123", true},
        {"name", "01234567890123456789012345678901234567890123456789012345678901234", false},
        {"trace", "trace.json", true},
        {"trace", "", false},
        {"trace-buffer", "1m", true},
        {"trace-buffer", "1023k", false},
        {"log-skip", "/healthz", true},
        {"log-skip", "/", true},
        {"log-skip", "", false},
        {"log-skip", "healthz", false},
        {"log-skip", "/a?b", false},
        {"default-status", "503:20,500:5", true},
        {"default-status", "503:20,500:81", false},
        {"default-status", "199", false},
        {"default-delay", "60m", true},
        {"default-delay", "61m", false},
        {"default-close", "true:5", true},
        {"default-close", "yes", false},
        {"default-abort", "body:100:5,reset:1", true},
        {"default-abort", "later", false},
        {"default-header", "X-A: b, c", true},
        {"default-header", "X-A", false},
        {"default-header", "Content-Length: 1", false},
        {"proxy-protocol", "true", true},
        {"log-admin", "yes", true},
        {"log-headers", "on", true},
        {"log-secrets", "1", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct options options = {.mode = NULL};
        cr_expect_eq(set(&options, cases[i].name, cases[i].value), cases[i].good, "--%s '%s'", cases[i].name,
                     cases[i].value);
    }
}

Test(flag, values_go_to_their_members)
{
    struct options options = {.mode = NULL};
    cr_assert(set(&options, "mode", "event"));
    cr_assert_eq(options.mode, MODES[1].name);
    cr_assert(set(&options, "loops", "3") && set(&options, "workers", "5") && set(&options, "queue", "7"));
    cr_assert(set(&options, "max-connections", "9") && set(&options, "backlog", "11"));
    cr_assert(options.loops == 3 && options.workers == 5 && options.queue == 7);
    cr_assert(options.max_connections == 9 && options.backlog == 11);
    cr_assert(set(&options, "stack-size", "64k") && set(&options, "max-header-size", "2k"));
    cr_assert(set(&options, "max-body-size", "3k") && set(&options, "max-buffer-memory", "65k"));
    cr_assert(options.stack_size == 64 * KIB && options.max_header_size == 2 * KIB);
    cr_assert(options.max_body_size == 3 * KIB && options.max_buffer_memory == 65 * KIB);
    cr_assert(set(&options, "header-timeout", "1ms") && set(&options, "body-timeout", "2ms"));
    cr_assert(set(&options, "idle-timeout", "3ms") && set(&options, "drain-delay", "4ms"));
    cr_assert(set(&options, "drain-timeout", "5ms"));
    cr_assert(options.header_timeout_ms == 1 && options.body_timeout_ms == 2 && options.idle_timeout_ms == 3);
    cr_assert(options.drain_delay_ms == 4 && options.drain_timeout_ms == 5);
    cr_assert(set(&options, "access-log", "-") && set(&options, "check", "http://[::1]/"));
    cr_assert_str_eq(options.access_log, "-");
    cr_assert_str_eq(options.check, "http://[::1]/");
    cr_assert(set(&options, "log-format", "json") && options.log_format == OPTIONS_LOG_JSON);
    cr_assert(set(&options, "cors", "yes") && options.cors && set(&options, "cors", "false") &&
              !options.cors);
    cr_assert(set(&options, "verbose", "1") && options.verbose);
    cr_assert(set(&options, "max-delay", "6ms") && options.max_delay_ms == 6);
    cr_assert(set(&options, "max-requests", "13") && set(&options, "fault-seed", "17"));
    cr_assert(options.max_requests == 13 && options.fault_seed == 17);
    cr_assert(set(&options, "name", "blue") && set(&options, "default-status", "503"));
    cr_assert(set(&options, "default-delay", "1s") && set(&options, "default-close", "true:1"));
    cr_assert(set(&options, "default-abort", "stall"));
    cr_assert_str_eq(options.name, "blue");
    cr_assert_str_eq(options.default_status, "503");
    cr_assert_str_eq(options.default_delay, "1s");
    cr_assert_str_eq(options.default_close, "true:1");
    cr_assert_str_eq(options.default_abort, "stall");
    cr_assert(set(&options, "default-header", "A:1") && set(&options, "default-header", "B:2"));
    cr_assert(set(&options, "log-skip", "/a") && options.default_header.count == 2 &&
              options.log_skip.count == 1);
    cr_assert(span_equal(options.default_header.items[1], SPAN_LITERAL("B:2")));
    cr_assert(span_equal(options.log_skip.items[0], SPAN_LITERAL("/a")));
    cr_assert(set(&options, "proxy-protocol", "1") && options.proxy_protocol);
    cr_assert(set(&options, "log-admin", "1") && options.log_admin && set(&options, "log-headers", "1"));
    cr_assert(options.log_headers && set(&options, "log-secrets", "1") && options.log_secrets);
    cr_assert(set(&options, "listen", "*:1") && set(&options, "listen", "unix:/a"));
    cr_assert(options.listen.count == 2 && options.listen.items[1].kind == LISTEN_UNIX);
    cr_assert(set(&options, "admin-listen", "[::1]:1") && options.admin_listen.count == 1);
}

Test(flag, a_list_ends_at_its_array)
{
    struct options options = {.mode = NULL};
    for (int i = 0; i < LISTENERS_SPEC_MAX; i++) {
        cr_assert(set(&options, "listen", "127.0.0.1:0"));
    }
    const char *why = "";
    cr_assert_not(flag_set(find("listen"), &options, MODES, "127.0.0.1:0", 11, &why));
    cr_assert_str_eq(why, "too many addresses");
    for (int i = 0; i < OPTIONS_LIST_MAX; i++) {
        cr_assert(set(&options, "log-skip", "/a"));
    }
    cr_assert_not(flag_set(find("log-skip"), &options, MODES, "/a", 2, &why));
    cr_assert_str_eq(why, "too many values");
}

Test(flag, separators)
{
    cr_expect_eq(flag_separator(find("listen")), ',');
    cr_expect_eq(flag_separator(find("admin-listen")), ',');
    cr_expect_eq(flag_separator(find("log-skip")), ',');
    cr_expect_eq(flag_separator(find("default-header")), '\n');
    cr_expect_eq(flag_separator(find("default-status")), '\0');
    cr_expect_eq(flag_separator(find("loops")), '\0');
}

Test(flag, a_mode_that_the_build_does_not_have)
{
    struct options options = {.mode = NULL};
    const char *why = NULL;
    cr_assert_not(flag_set(find("mode"), &options, MODES, "uring", 5, &why));
    cr_assert_str_eq(why, "not here");
    cr_assert_null(options.mode);
    cr_assert_not(flag_set(find("mode"), &options, MODES, "fork", 4, &why));
    cr_assert_str_eq(why, "");
}

Test(flag, allowed)
{
    static const struct {
        const char *name;
        const char *allowed;
    } cases[] = {
        {"mode", "thread, event"},
        {"loops", "a whole number from 1 to 1024"},
        {"max-header-size", "a size from 256 to 1m, with the units k, m, g"},
        {"max-body-size", "a size from 0 to 1024g, with the units k, m, g"},
        {"idle-timeout", "a time from 1ms to 1440m, with the units ms, s, m (none: seconds)"},
        {"drain-delay", "a time from 0ms to 1440m, with the units ms, s, m (none: seconds)"},
        {"listen", LISTEN_SPEC_FORMS "; at most 64 addresses"},
        {"access-log", "a non-empty text"},
        {"log-format", "text, json"},
        {"cors", "true, false, yes, no, on, off, 1, 0, or no value for true"},
        {"name", "1 to 64 visible ASCII characters"},
        {"log-skip", "a path that begins with /, without a query; at most 64"},
        {"default-header", "Name:Value, no framing or connection field; at most 64"},
        {"default-delay", "a time of at most --max-delay, or a list with shares as in 200ms:10"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char allowed[192];
        flag_allowed(find(cases[i].name), MODES, allowed, sizeof(allowed));
        cr_expect_str_eq(allowed, cases[i].allowed, "--%s: %s", cases[i].name, allowed);
    }
    char cut[8];
    flag_allowed(find("mode"), MODES, cut, sizeof(cut));
    cr_assert_str_eq(cut, "thread,");
}

Test(flag, find)
{
    cr_assert_null(flag_find("nonsense", strlen("nonsense")));
    cr_assert_null(flag_find("loop", strlen("loop")));
    cr_assert_str_eq(flag_find("loopsx", strlen("loops"))->name, "loops");
    cr_assert_str_eq(flag_find_letter('v')->name, "verbose");
    cr_assert_null(flag_find_letter('x'));
    cr_assert_null(flag_find_letter('\0'));
}

/* Every default is a value the row itself allows, and the meanings fit their column in --help. */
Test(flag, rows_are_sound)
{
    for (size_t i = 0; i < FLAG_TOTAL; i++) {
        const struct flag *flag = &FLAGS[i];
        struct options options = {.mode = NULL};
        cr_assert_eq(flag_find(flag->name, strlen(flag->name)), flag);
        cr_expect(flag->initial == NULL || set(&options, flag->name, flag->initial), "--%s", flag->name);
        cr_expect_eq(flag->metavariable == NULL, flag->kind == FLAG_SWITCH, "--%s", flag->name);
        const char *last = strrchr(flag->meaning, '\n');
        const char *initial = flag->initial != NULL ? flag->initial : flag->shown != NULL ? flag->shown : "";
        size_t columns = strlen(last != NULL ? last + 1 : flag->meaning) + strlen(" []") + strlen(initial);
        cr_expect_leq(columns, 52, "--%s: %zu columns", flag->name, columns);
    }
}
