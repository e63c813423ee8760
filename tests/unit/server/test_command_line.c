/* SPDX-License-Identifier: MIT */
/* The command line and the environment as a whole: what counts, what is refused and how, and --help. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/settings/command_line.h"
#include "server/settings/flag.h"

#define ARGUMENTS 8
#define KIB       UINT64_C(1024)

static const struct mode_name MODES[] = {{"thread", "a pthread for each connection", NULL},
                                         {"event", "loops", NULL},
                                         {"uring", NULL, "not in this build"},
                                         {NULL, NULL, NULL}};

struct run {
    struct options options;
    enum command_line_outcome outcome;
    char error[256];
};

/* The lists end with NULL and do not contain argv[0]. */
static void parse(struct run *run, const char *const *arguments, const char *const *variables)
{
    char *argv[ARGUMENTS + 2] = {strdup("echod")};
    char *envp[ARGUMENTS + 1] = {NULL};
    int argc = 1;
    for (; arguments[argc - 1] != NULL; argc++) {
        argv[argc] = (char *)(uintptr_t)arguments[argc - 1];
    }
    for (int i = 0; variables != NULL && variables[i] != NULL; i++) {
        envp[i] = (char *)(uintptr_t)variables[i];
    }
    memset(&run->options, 0xa5, sizeof(run->options));
    run->error[0] = '\0';
    run->outcome = command_line_parse(&run->options, argc, argv, envp, MODES, run->error, sizeof(run->error));
    free(argv[0]);
}

#define ARGV(...) ((const char *const[ARGUMENTS + 1]){__VA_ARGS__})
#define ENVP(...) ((const char *const[ARGUMENTS + 1]){__VA_ARGS__})

static unsigned port(const struct options *options, size_t i)
{
    return ntohs(options->listen.items[i].port);
}

Test(command_line, defaults)
{
    struct run run;
    parse(&run, ARGV(NULL), NULL);
    const struct options *o = &run.options;
    cr_assert_eq(run.outcome, COMMAND_LINE_RUN, "%s", run.error);
    cr_expect_eq(o->mode, MODES[1].name);
    cr_expect(o->listen.count == 1 && o->listen.items[0].kind == LISTEN_IPV4 && port(o, 0) == 8080);
    cr_expect(o->loops == 0 && o->workers == 0 && o->queue == 1024 && o->max_connections == 0);
    cr_expect(o->stack_size == 0 && o->backlog == 4096);
    cr_expect(o->max_header_size == 16 * KIB && o->max_body_size == 64 * KIB * KIB);
    cr_expect(o->max_buffer_memory == 256 * KIB * KIB);
    cr_expect(o->header_timeout_ms == 10000 && o->body_timeout_ms == 30000 && o->idle_timeout_ms == 60000);
    cr_expect(o->drain_delay_ms == 0 && o->drain_timeout_ms == 30000);
    cr_expect(o->access_log == NULL && o->log_format == OPTIONS_LOG_TEXT && o->admin_listen.count == 0);
    cr_expect(!o->cors && o->check == NULL && !o->verbose);
    cr_expect(o->max_delay_ms == 10000 && o->max_requests == 0 && o->fault_seed == 0 && o->name == NULL);
    cr_expect(o->default_status == NULL && o->default_delay == NULL && o->default_close == NULL);
    cr_expect(o->default_abort == NULL && o->default_header.count == 0 && o->log_skip.count == 0);
    cr_expect(o->trace == NULL && o->trace_buffer == UINT64_C(64) << 20);
    cr_expect(!o->proxy_protocol && !o->log_admin && !o->log_headers && !o->log_secrets);
}

/* What is checked is --loops, --verbose and the ports of --listen: the rest is the table's, see test_flag.c.
 */
struct good {
    const char *arguments[ARGUMENTS + 1];
    const char *variables[ARGUMENTS + 1];
    unsigned loops;
    bool verbose;
    unsigned ports[3];
};

static const struct good GOOD[] = {
    {{"--loops", "3"}, {0}, 3, false, {8080}},
    {{"--loops=3"}, {0}, 3, false, {8080}},
    {{"--loops", "3", "--loops=4", "--loops", "5"}, {0}, 5, false, {8080}},
    {{"-v"}, {0}, 0, true, {8080}},
    {{"--verbose", "--loops=2"}, {0}, 2, true, {8080}},
    {{"-v", "--verbose=off"}, {0}, 0, false, {8080}},
    {{0}, {"ECHOD_LOOPS=6"}, 6, false, {8080}},
    {{"--loops", "3"}, {"ECHOD_LOOPS=6"}, 3, false, {8080}},
    {{"--loops", "3"}, {"ECHOD_LOOPS=nonsense"}, 3, false, {8080}},
    {{0}, {"ECHOD_LOOPS="}, 0, false, {8080}},
    {{0}, {"ECHOD_LOOPS=6", "ECHOD_LOOPS=7"}, 6, false, {8080}},
    {{0}, {"ECHOD_VERBOSE=1"}, 0, true, {8080}},
    {{0}, {"ECHOD_VERBOSE=no"}, 0, false, {8080}},
    {{0}, {"ECHOD_VERBOSE=TRUE"}, 0, true, {8080}},
    {{0}, {"ECHOD_VERBOSE=Yes"}, 0, true, {8080}},
    {{0}, {"ECHOD_VERBOSE=False"}, 0, false, {8080}},
    {{"--listen", "*:1"}, {0}, 0, false, {1}},
    {{"--listen", "*:1", "--listen=*:2", "--listen", "*:3"}, {0}, 0, false, {1, 2, 3}},
    {{0}, {"ECHOD_LISTEN=*:1"}, 0, false, {1}},
    {{0}, {"ECHOD_LISTEN=*:1,[::1]:2,localhost:3"}, 0, false, {1, 2, 3}},
    {{0}, {"ECHOD_LISTEN=*:1 , [::1]:2,\tlocalhost:3"}, 0, false, {1, 2, 3}},
    {{0}, {"ECHOD_LISTEN= \t*:1, *:2 "}, 0, false, {1, 2}},
    {{"--listen=*:4"}, {"ECHOD_LISTEN=*:1,*:2"}, 0, false, {4}},
    {{"--listen=*:4"}, {"ECHOD_LISTEN=bad"}, 0, false, {4}},
    {{0},
     {"ECHOD_PORT=tcp://10.0.0.1:80", "ECHOD_SERVICE_HOST=10.0.0.1", "ECHOD_", "ECHOD_=", "ECHOD_LOOPSX=9"},
     0,
     false,
     {8080}},
    {{0}, {"LOOPS=9", "echod_loops=9", "ECHOD_loops=9", "XECHOD_LOOPS=9", "ECHOD_LOOPS"}, 0, false, {8080}},
    {{0}, {"ECHOD_HELP=1", "ECHOD_VERSION=1"}, 0, false, {8080}},
};

Test(command_line, good)
{
    for (size_t i = 0; i < sizeof(GOOD) / sizeof(GOOD[0]); i++) {
        const struct good *c = &GOOD[i];
        struct run run;
        parse(&run, c->arguments, c->variables);
        cr_assert_eq(run.outcome, COMMAND_LINE_RUN, "row %zu: %s", i, run.error);
        cr_expect_eq(run.options.loops, c->loops, "row %zu", i);
        cr_expect_eq(run.options.verbose, c->verbose, "row %zu", i);
        unsigned count = 0;
        for (; count < 3 && c->ports[count] != 0; count++) {
            cr_expect_eq(port(&run.options, count), c->ports[count], "row %zu", i);
        }
        cr_expect_eq(run.options.listen.count, count, "row %zu", i);
    }
}

/* Lists in variables: commas between paths, newlines between header fields. */
Test(command_line, lists)
{
    struct run run;
    parse(&run, ARGV("--log-skip=/x", "--log-skip", "/y,z"),
          ENVP("ECHOD_LOG_SKIP=/a", "ECHOD_DEFAULT_HEADER=A: 1, 2\n B:3 \n"));
    const struct options *options = &run.options;
    cr_assert_eq(run.outcome, COMMAND_LINE_RUN, "%s", run.error);
    cr_assert(options->log_skip.count == 2 && options->default_header.count == 2);
    cr_expect(span_equal(options->log_skip.items[1], SPAN_LITERAL("/y,z")));
    cr_expect(span_equal(options->default_header.items[0], SPAN_LITERAL("A: 1, 2")));
    cr_expect(span_equal(options->default_header.items[1], SPAN_LITERAL("B:3")));
    parse(&run, ARGV(NULL), ENVP("ECHOD_LOG_SKIP=/a , /b", "ECHOD_DEFAULT_HEADER=\n"));
    cr_assert_eq(run.outcome, COMMAND_LINE_RUN, "%s", run.error);
    cr_assert(options->log_skip.count == 2 && options->default_header.count == 0);
    cr_expect(span_equal(options->log_skip.items[0], SPAN_LITERAL("/a")));
    cr_expect(span_equal(options->log_skip.items[1], SPAN_LITERAL("/b")));
}

/* Flags that must go together. */
Test(command_line, together)
{
    struct run run;
    parse(&run, ARGV("--log-headers", "--log-format=json", "--default-delay=20s:5", "--max-delay", "20s"),
          NULL);
    cr_expect_eq(run.outcome, COMMAND_LINE_RUN, "%s", run.error);
    parse(&run, ARGV("--log-headers"), ENVP("ECHOD_LOG_FORMAT=json"));
    cr_expect_eq(run.outcome, COMMAND_LINE_RUN, "%s", run.error);
}

/* PORT counts where nothing more particular says where to listen. */
Test(command_line, the_variable_port)
{
    static const struct {
        const char *arguments[ARGUMENTS + 1];
        const char *variables[ARGUMENTS + 1];
        unsigned port;
        bool counts;
    } cases[] = {
        {{0}, {"PORT=1"}, 1, true},
        {{0}, {"PORT=65535"}, 65535, true},
        {{0}, {"PORT=0"}, 0, true},
        {{0}, {"PORT="}, 8080, false},
        {{0}, {"ECHOD_LISTEN=", "PORT=1"}, 1, true},
        {{0}, {"PORT=1", "ECHOD_LISTEN=*:2"}, 2, false},
        {{"--listen=*:3"}, {"PORT=1"}, 3, false},
        {{"--listen=*:3"}, {"PORT=x"}, 3, false},
        {{"--admin-listen=*:3"}, {"PORT=1"}, 1, true},
        {{0}, {"PORTS=1", "XPORT=1", "port=1", "PORT"}, 8080, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct run run;
        parse(&run, cases[i].arguments, cases[i].variables);
        const struct options *options = &run.options;
        cr_assert_eq(run.outcome, COMMAND_LINE_RUN, "row %zu: %s", i, run.error);
        cr_expect(options->listen.count == 1 && port(options, 0) == cases[i].port, "row %zu", i);
        cr_expect_eq(options->listens_on_port, cases[i].counts, "row %zu", i);
        cr_expect(!cases[i].counts || options->listen.items[0].kind == LISTEN_ANY, "row %zu", i);
    }
}

static const char LONG[] =
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234";

/* The message, whole or as a beginning. */
struct bad {
    const char *arguments[ARGUMENTS + 1];
    const char *variables[ARGUMENTS + 1];
    const char *error;
};

static const struct bad BAD[] = {
    {{"--mode", "fork"}, {0}, "--mode 'fork': allowed: thread, event"},
    {{"--mode="}, {0}, "--mode '': allowed: thread, event"},
    {{"--mode", "uring"}, {0}, "--mode 'uring': not in this build; allowed: thread, event"},
    {{0}, {"ECHOD_MODE=uring"}, "ECHOD_MODE 'uring': not in this build; allowed: thread, event"},
    {{"--loops", "0"}, {0}, "--loops '0': allowed: a whole number from 1 to 1024"},
    {{"--loops=x"}, {0}, "--loops 'x': allowed: a whole number from 1 to 1024"},
    {{"--loops", "-1"}, {0}, "--loops '-1': allowed: "},
    {{"--loops"}, {0}, "--loops: its value is missing; allowed: a whole number from 1 to 1024"},
    {{"--loops", "--verbose"}, {0}, "--loops: its value is missing; allowed: "},
    {{"--loops=1", "--loops", "x", "--loops=2"}, {0}, "--loops 'x': allowed: "},
    {{"--listen", "8080"}, {0}, "--listen '8080': the port is missing; allowed: " LISTEN_SPEC_FORMS},
    {{"--listen", "*:1,*:2"}, {0}, "--listen '*:1,*:2': "},
    {{"--verbose=x"}, {0}, "--verbose 'x': allowed: true, false, yes, no, on, off, 1, 0"},
    {{"--loop", "3"}, {0}, "unknown flag '--loop'; --help lists what is allowed"},
    {{"--LOOPS", "3"}, {0}, "unknown flag '--LOOPS'; "},
    {{"--nonsense=3"}, {0}, "unknown flag '--nonsense=3'; "},
    {{"--help=3"}, {0}, "unknown flag '--help=3'; "},
    {{"--"}, {0}, "unknown flag '--'; "},
    {{"-x"}, {0}, "unknown flag '-x'; "},
    {{"-vv"}, {0}, "unknown flag '-vv'; "},
    {{"-v=on"}, {0}, "unknown flag '-v=on'; "},
    {{"-"}, {0}, "unknown flag '-'; "},
    {{""}, {0}, "unexpected argument ''; "},
    {{"event"}, {0}, "unexpected argument 'event'; --help lists what is allowed"},
    {{"--verbose", "on"}, {0}, "unexpected argument 'on'; "},
    {{"--mode", "a\nb\x1b[1m"}, {0}, "--mode 'a?b?[1m': "},
    {{"a\nb"}, {0}, "unexpected argument 'a?b'; "},
    {{"--loops", LONG},
     {0},
     "--loops '01234567890123456789012345678901234567890123456789012345678901234567890123456789'...: "
     "allowed: "},
    {{LONG},
     {0},
     "unexpected argument "
     "'01234567890123456789012345678901234567890123456789012345678901234567890123456789'...; "},
    {{0}, {"ECHOD_LOOPS=0"}, "ECHOD_LOOPS '0': allowed: a whole number from 1 to 1024"},
    {{0}, {"ECHOD_MAX_BODY_SIZE=1t"}, "ECHOD_MAX_BODY_SIZE '1t': allowed: a size from 0 to 1024g"},
    {{0}, {"ECHOD_LISTEN=*:1,,*:2"}, "ECHOD_LISTEN '': it is empty; allowed: "},
    {{0},
     {"ECHOD_LISTEN=*:1,*:2x,*:3"},
     "ECHOD_LISTEN '*:2x': the port is not a number from 0 to 65535; allowed: "},
    {{0}, {"ECHOD_VERBOSE=2"}, "ECHOD_VERBOSE '2': allowed: true, false"},
    {{0}, {"ECHOD_LISTEN=*:1 , ,*:2"}, "ECHOD_LISTEN '': it is empty; allowed: "},
    {{0}, {"ECHOD_LISTEN= "}, "ECHOD_LISTEN '': it is empty; allowed: "},
    {{0}, {"ECHOD_LISTEN=*:1, *: 2"}, "ECHOD_LISTEN '*: 2': the port is not a number"},
    {{0}, {"PORT=x"}, "PORT 'x': allowed: a whole number from 0 to 65535"},
    {{0}, {"PORT=65536"}, "PORT '65536': allowed: "},
    {{0}, {"PORT= 80"}, "PORT ' 80': allowed: "},
    {{0}, {"PORT=tcp://10.0.0.1:80\n"}, "PORT 'tcp://10.0.0.1:80?': allowed: "},
    {{"--check="}, {0}, "--check '': it does not begin with http://; allowed: "},
    {{"--check", "nix"}, {0}, "--check 'nix': it does not begin with http://; allowed: "},
    {{"--check", "--nix"}, {0}, "unknown flag '--nix'; "},
    {{"--check", "--listen=*:0"}, {0}, "--check: --listen has port 0, any free one; allowed: "},
    {{"--check"}, {"PORT=0"}, "--check: PORT has port 0, "},
    {{"--check", "--admin-listen", "*:0"}, {0}, "--check: --admin-listen has port 0, "},
    {{"--check"}, {"ECHOD_LISTEN=nix"}, "ECHOD_LISTEN 'nix': the port is missing; "},
    {{"--loops=2"}, {"ECHOD_BACKLOG=0"}, "ECHOD_BACKLOG '0': "},
    {{"--log-headers"}, {0}, "--log-headers: it needs --log-format json; allowed: "},
    {{0}, {"ECHOD_LOG_HEADERS=1"}, "ECHOD_LOG_HEADERS: it needs --log-format json; allowed: "},
    {{"--trace=a", "--access-log", "a"}, {0}, "--trace 'a': it is the file of --access-log; allowed: "},
    {{"--default-delay=11s"},
     {0},
     "--default-delay '11s': it exceeds --max-delay; allowed: a time of at most "},
    {{"--max-delay=1s"},
     {"ECHOD_DEFAULT_DELAY=1ms:1,2s:1"},
     "ECHOD_DEFAULT_DELAY '1ms:1,2s:1': it exceeds --max-delay; "},
    {{"--default-status=503:101"},
     {0},
     "--default-status '503:101': allowed: a number from 200 to 599, or a list"},
    {{"--default-header=A"}, {0}, "--default-header 'A': must be Name:Value; allowed: Name:Value"},
    {{0}, {"ECHOD_DEFAULT_HEADER=A:1\nDate:x"}, "ECHOD_DEFAULT_HEADER 'Date:x': must not be a framing"},
    {{0}, {"ECHOD_LOG_SKIP=/a,b"}, "ECHOD_LOG_SKIP 'b': allowed: a path that begins with /"},
    {{"--name", "a b"}, {0}, "--name 'a b': allowed: 1 to 64 visible"},
};

Test(command_line, bad)
{
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        struct run run;
        parse(&run, BAD[i].arguments, BAD[i].variables);
        cr_expect_eq(run.outcome, COMMAND_LINE_BAD, "row %zu", i);
        cr_expect_arr_eq(run.error, BAD[i].error, strlen(BAD[i].error), "row %zu: %s", i, run.error);
        cr_expect_null(strchr(run.error, '\n'));
    }
}

Test(command_line, a_short_buffer_cuts_the_message)
{
    char error[8];
    struct options options;
    char *argv[] = {NULL, (char *)(uintptr_t) "nonsense", NULL};
    cr_assert_eq(command_line_parse(&options, 2, argv, argv + 2, MODES, error, sizeof(error)),
                 COMMAND_LINE_BAD);
    cr_assert_str_eq(error, "unexpec");
}

Test(command_line, help_and_version_end_the_reading)
{
    static const struct {
        const char *arguments[ARGUMENTS + 1];
        enum command_line_outcome outcome;
    } cases[] = {
        {{"--help"}, COMMAND_LINE_HELP},
        {{"-h"}, COMMAND_LINE_HELP},
        {{"--help", "all"}, COMMAND_LINE_HELP_ALL},
        {{"-h", "all"}, COMMAND_LINE_HELP_ALL},
        {{"--help=all"}, COMMAND_LINE_HELP_ALL},
        {{"--help", "nonsense"}, COMMAND_LINE_HELP},
        {{"--loops=2", "--help", "--nonsense"}, COMMAND_LINE_HELP},
        {{"--version"}, COMMAND_LINE_VERSION},
        {{"--version", "--help"}, COMMAND_LINE_VERSION},
        {{"--nonsense", "--help"}, COMMAND_LINE_BAD},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct run run;
        parse(&run, cases[i].arguments, ENVP("ECHOD_LOOPS=nonsense"));
        cr_expect_eq(run.outcome, cases[i].outcome, "row %zu", i);
    }
}

/* What --check asks where it has no URL: the first address of --admin-listen, else of --listen. */
Test(command_line, check_is_an_outcome)
{
    static const struct {
        const char *arguments[ARGUMENTS + 1];
        const char *variables[ARGUMENTS + 1];
        const char *url;
        unsigned port; /* without a URL */
    } cases[] = {
        {{"--check", "http://127.0.0.1:8080/"}, {0}, "http://127.0.0.1:8080/", 0},
        {{"--check=http://127.0.0.1:8080/"}, {0}, "http://127.0.0.1:8080/", 0},
        {{"--check=http://127.0.0.1:8080/", "--listen", "*:0"}, {0}, "http://127.0.0.1:8080/", 0},
        {{0}, {"ECHOD_CHECK=http://[::1]/"}, "http://[::1]/", 0},
        {{"--check"}, {0}, "", 8080},
        {{"--check"}, {"ECHOD_CHECK=http://[::1]/"}, "", 8080},
        {{"--check", "-v", "--listen", "*:1"}, {0}, "", 1},
        {{"--listen", "*:1", "--check", "--listen", "*:2"}, {0}, "", 1},
        {{"--check", "--admin-listen", "*:3", "--listen", "*:0"}, {0}, "", 3},
        {{"--check"}, {"PORT=4"}, "", 4},
        {{"--check"}, {"PORT=4", "ECHOD_LISTEN=*:5,*:6"}, "", 5},
        {{"--check"}, {"PORT=4", "ECHOD_ADMIN_LISTEN=*:7", "ECHOD_LISTEN=*:5"}, "", 7},
        {{"--check", "--listen=*:8"}, {"PORT=4", "ECHOD_LISTEN=*:5"}, "", 8},
        {{"--check", "--listen=unix:/s"}, {"PORT=4"}, "", 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct run run;
        parse(&run, cases[i].arguments, cases[i].variables);
        cr_assert_eq(run.outcome, COMMAND_LINE_CHECK, "row %zu: %s", i, run.error);
        cr_expect_str_eq(run.options.check, cases[i].url, "row %zu", i);
        if (*cases[i].url == '\0') {
            cr_expect_eq(ntohs(options_checked_listener(&run.options)->port), cases[i].port, "row %zu", i);
        }
    }
}

static void read_help(char *text, size_t size, const struct mode_name *modes, bool all)
{
    FILE *out = fmemopen(text, size, "w");
    cr_assert_not_null(out);
    command_line_help(out, modes, all);
    fclose(out);
}

/* The number of lines; none is too long or ends in a blank. */
static unsigned help_lines(char *text)
{
    unsigned lines = 0;
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1, lines++) {
        *end = '\0';
        cr_expect_leq(strlen(line), 80, "%s", line);
        cr_expect(end == line || end[-1] != ' ', "blank at the end: %s", line);
    }
    return lines;
}

Test(command_line, help_fits_a_screen)
{
    static const struct mode_name modes[] = {
        {"thread", "123456789012345678901234567890123456789012345678901234567890123456", NULL},
        {"event", "loops", NULL},
        {"hybrid", "loops and workers", NULL},
        {"pool", "workers", NULL},
        {"process", "processes", NULL},
        {"fiber", NULL, "not in this build (Boost.Context was not found when it was built)"},
        {"uring", NULL, "not in this build (liburing was not found when it was built)"},
        {NULL, NULL, NULL},
    };
    char text[8192];
    read_help(text, sizeof(text), modes, false);
    cr_expect_leq(help_lines(text), 24);
    read_help(text, sizeof(text), modes, true);
    cr_expect_leq(help_lines(text), 80);
}

Test(command_line, help_shows_the_flags_used_most_help_all_every_flag)
{
    for (int all = 0; all < 2; all++) {
        char text[8192];
        read_help(text, sizeof(text), MODES, all);
        for (size_t i = 0; i < FLAG_TOTAL; i++) {
            char name[64];
            snprintf(name, sizeof(name), " --%s%s", FLAGS[i].name,
                     FLAGS[i].metavariable != NULL ? " " : "  ");
            cr_expect_eq(strstr(text, name) != NULL, all || FLAGS[i].common, "--%s", FLAGS[i].name);
        }
        static const char *const parts[] = {
            "Usage: echod ",
            "\n    thread    a pthread for each connection\n",
            "\n    uring: not in this build\n",
            "concurrency model [event]\n",
            "\n  -h, --help ",
            "\n  --version ",
            "\n  -v, --verbose ",
            "\n                            localhost:PORT, *:PORT, unix:PATH [127.0.0.1:8080]\n",
            "ECHOD_MAX_BODY_SIZE",
        };
        for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
            cr_expect_not_null(strstr(text, parts[i]), "%s", parts[i]);
        }
    }
}

/* Each group has one heading, and its flags stand together. */
Test(command_line, help_all_is_grouped)
{
    char text[8192];
    read_help(text, sizeof(text), MODES, true);
    unsigned headings = 0;
    for (const char *line = text; (line = strstr(line, ":\n  -")) != NULL; line++) {
        headings++;
    }
    cr_expect_eq(headings, FLAG_GROUP_OTHER + 1u);
    for (size_t i = 1; i < FLAG_TOTAL; i++) {
        cr_expect_geq(FLAGS[i].group, FLAGS[i - 1].group, "--%s", FLAGS[i].name);
    }
}
