/* SPDX-License-Identifier: MIT */
/* The command line of swarm: what counts for which class, what is refused and how, and --help. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "loadtest/swarm/settings/command_line.h"
#include "loadtest/swarm/settings/flag.h"

#define ARGUMENTS 20
#define URL       "http://127.0.0.1:8080/p"

struct run {
    struct options options;
    enum command_line_outcome outcome;
    char error[256];
};

/* The list ends with NULL and does not contain argv[0]. */
static const struct options *parse(struct run *run, const char *const *arguments)
{
    char name[] = "swarm";
    char *argv[ARGUMENTS + 2] = {name};
    int argc = 1;
    for (; arguments[argc - 1] != NULL; argc++) {
        argv[argc] = (char *)(uintptr_t)arguments[argc - 1];
    }
    memset(&run->options, 0xa5, sizeof(run->options));
    run->error[0] = '\0';
    run->outcome = command_line_parse(&run->options, argc, argv, run->error, sizeof(run->error));
    return &run->options;
}

#define ARGV(...) ((const char *const[ARGUMENTS + 1]){__VA_ARGS__})

static const struct options *parse_good(struct run *run, const char *const *arguments)
{
    parse(run, arguments);
    cr_assert_eq(run->outcome, COMMAND_LINE_RUN, "%s", run->error);
    return &run->options;
}

Test(swarm_command_line, defaults)
{
    struct run run;
    const struct options *o = parse_good(&run, ARGV(URL));
    cr_expect(o->duration_ms == 10000 && o->warmup_ms == 0 && o->grace_ms == 10000 && !o->gate &&
              !o->buckets);
    cr_expect(o->targets.count == 1 && o->sources.count == 0);
    cr_expect_eq(o->targets.items[0].ipv4.sin_port, htons(8080));
    cr_expect_arr_eq(o->host, "127.0.0.1:8080", o->host_length);
    cr_assert_eq(o->class_count, 1);
    const struct options_class *c = &o->classes[0];
    cr_expect_str_eq(c->name, "main");
    cr_expect_str_eq(c->path, "/p");
    cr_expect_str_eq(c->method, "GET");
    cr_expect(c->connections == 1 && c->rate == 0 && c->requests == 0 && c->each == 0 &&
              c->timeout_ms == 10000);
    cr_expect(!c->hold && !c->greet && !c->close && c->expect_body == NULL && !c->expect_echo);
    cr_expect_eq(c->expect_length, OPTIONS_ANY_LENGTH);
    cr_expect(c->statuses.count == 1 && c->statuses.items[0] == 200);
    cr_expect(c->trickle_send.bytes == 0 && c->trickle_read.bytes == 0 && c->receive_buffer == 0);
}

Test(swarm_command_line, classes_begin_as_what_stands_before_them)
{
    struct run run;
    const struct options *o =
        parse_good(&run, ARGV("--target", "127.0.0.1:1", "--timeout", "2s", "--header=A: b", "/all",
                              "--class", "one", "--connections=3", "--rate", "100", "--class", "two", "/two",
                              "--timeout", "300ms", "--header", "C: d"));
    cr_assert_eq(o->class_count, 2);
    const struct options_class *one = &o->classes[0];
    const struct options_class *two = &o->classes[1];
    cr_expect(one->timeout_ms == 2000 && two->timeout_ms == 300);
    cr_expect(one->rate == 100 && two->rate == 0);
    cr_expect(one->connections == 3 && two->connections == 1);
    cr_expect_str_eq(one->path, "/all");
    cr_expect_str_eq(two->path, "/two");
    cr_expect(one->headers.count == 1 && two->headers.count == 2);
    cr_expect_str_eq(two->headers.items[1], "C: d");
}

Test(swarm_command_line, values)
{
    struct run run;
    const struct options_class *c =
        parse_good(&run, ARGV("--body", "2k", "--expect-status", "200,404", "--trickle-read", "1k:20ms",
                              "--expect-length=0", "--close", URL))
            ->classes;
    cr_expect_eq(c->body_size, 2048);
    cr_expect_str_eq(c->method, "POST");
    cr_expect(c->statuses.count == 2 && c->statuses.items[1] == 404);
    cr_expect(c->trickle_read.bytes == 1024 && c->trickle_read.every_ms == 20 && c->receive_buffer == 4096);
    cr_expect(c->expect_length == 0 && c->close);
}

Test(swarm_command_line, a_run_without_an_end_of_its_own_has_a_duration)
{
    static const struct {
        const char *arguments[ARGUMENTS + 1];
        uint64_t duration_ms;
    } cases[] = {
        {{URL}, 10000},
        {{"--duration", "2s", URL}, 2000},
        {{"--requests", "5", URL}, 0},
        {{"--each", "1", URL}, 0},
        {{"--hold", URL}, 0},
        {{"--hold", "--duration", "1ms", URL}, 1},
        {{"--target", "127.0.0.1:1", "--class", "a", "--hold", "--class", "b", "/"}, 10000},
        {{"--rate", "5", "--requests", "5", URL}, 0},
        {{"--rate", "5", URL}, 10000},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct run run;
        cr_expect_eq(parse_good(&run, cases[i].arguments)->duration_ms, cases[i].duration_ms, "row %zu", i);
    }
}

Test(swarm_command_line, no_grace_is_not_the_default_grace)
{
    struct run run;
    cr_expect_eq(parse_good(&run, ARGV("--grace", "0", URL))->grace_ms, 0);
    cr_expect_eq(parse_good(&run, ARGV("--timeout", "1s", "--header", "A: b", "--data=", URL))->grace_ms,
                 10000);
}

Test(swarm_command_line, targets)
{
    static const struct {
        const char *target;
        int family;
    } cases[] = {{"127.0.0.1:80", AF_INET}, {"localhost:80", AF_INET},
                 {"[::1]:80", AF_INET6},    {"unix:/run/there.sock", AF_UNIX},
                 {"unix:@name", AF_UNIX},   {"255.255.255.255:65535", AF_INET}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct run run;
        const struct options *o = parse_good(&run, ARGV("--target", cases[i].target, "/"));
        cr_expect_eq(o->targets.items[0].any.sa_family, cases[i].family, "row %zu", i);
        bool local = cases[i].family == AF_UNIX;
        cr_expect_arr_eq(o->host, local ? "localhost" : cases[i].target, o->host_length, "row %zu", i);
    }
    static const char *const bad[] = {
        "",          "127.0.0.1",      "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536",
        "::1:80",    "[127.0.0.1]:80", "[::1]",      "here:80",     ":80",
        "unix:",     "unix:@",         "[::1]:80x",  "[]:80",       "127.1:80x",
        "[::1%lo]:8"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct run run;
        cr_expect_eq((parse(&run, ARGV("--target", bad[i], "/")), run.outcome), COMMAND_LINE_BAD, "%s",
                     bad[i]);
    }
}

Test(swarm_command_line, as_many_sources_as_needed)
{
    static const struct {
        const char *arguments[ARGUMENTS + 1];
        unsigned sources;
    } cases[] = {
        {{"--connections", "7000", URL}, 0},
        {{"--connections", "7001", URL}, 2},
        {{"--connections", "1000000", URL}, 143},
        {{"--connections", "7001", "--sources", "5", URL}, 5},
        {{"--connections", "7001", "http://192.0.2.1:80/"}, 0},
        {{"--sources", "127.0.0.1,::1,10.0.0.1", URL}, 3},
        {{"--target", "127.0.0.1:1", "--connections", "4000", "/", "--class", "a", "--class", "b"}, 2},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct run run;
        cr_expect_eq(parse_good(&run, cases[i].arguments)->sources.count, cases[i].sources, "row %zu", i);
    }
}

Test(swarm_command_line, deadline_and_interval)
{
    struct run run;
    const struct options *o = parse_good(&run, ARGV(URL));
    cr_expect(o->interval_ms == 0 && o->classes[0].deadline_ms == 0);
    o = parse_good(&run, ARGV("--target", "127.0.0.1:1", "--deadline", "2s", "--interval", "250ms", "/",
                              "--class", "a", "--class", "b", "--deadline", "1500ms"));
    cr_expect(o->interval_ms == 250 && o->duration_ms == 10000);
    cr_expect(o->classes[0].deadline_ms == 2000 && o->classes[1].deadline_ms == 1500);
    o = parse_good(&run, ARGV("--interval", "1ms", "--duration", "9999ms", URL));
    cr_expect_eq(o->interval_ms, 1);
}

/* The message, whole or as a beginning. */
struct bad {
    const char *arguments[ARGUMENTS + 1];
    const char *error;
};

static const struct bad BAD[] = {
    {{0}, "no target: "},
    {{"/p"}, "no target: "},
    {{"--target", "127.0.0.1:1"}, "class main: it has no URL"},
    {{"--target", "127.0.0.1:1", URL}, "'127.0.0.1:8080': all classes have the same target"},
    {{"--class", "a", URL, "--class", "b", "http://127.0.0.1:81/"},
     "'127.0.0.1:81': all classes have the same"},
    {{URL, "/b"}, "'/b': a second URL; each class has one"},
    {{"/p", "--class", "a", URL, "/b"}, "'/b': a second URL"},
    {{"https://127.0.0.1/"}, "'https://127.0.0.1/': allowed: flags, and http://"},
    {{"http://127.0.0.1/"}, "'127.0.0.1': allowed: ADDRESS:PORT"},
    {{"http://name:80/"}, "'name:80': allowed: ADDRESS:PORT"},
    {{URL " b"}, "'" URL " b': allowed: flags, and "},
    {{URL "#b"}, "'" URL "#b': allowed: flags, and "},
    {{"p"}, "'p': allowed: "},
    {{"--nonsense", URL}, "unknown flag '--nonsense'; --help lists what is allowed"},
    {{"--gate=on", URL}, "unknown flag '--gate=on'; "},
    {{"-x", URL}, "'-x': allowed: "},
    {{URL, "--rate"}, "--rate: its value is missing; allowed: a whole number from 1 to 10000000"},
    {{"--rate", "0", URL}, "--rate '0': allowed: a whole number from 1 to 10000000"},
    {{"--connections", "-1", URL}, "--connections '-1': allowed: "},
    {{"--connections", "1000001", URL}, "--connections '1000001': allowed: "},
    {{"--duration", "0", URL}, "--duration '0': allowed: a time from 1ms to 1440m"},
    {{"--body", "2g", URL}, "--body '2g': allowed: a size from 0 to 1073741824 bytes"},
    {{"--method", "A B", URL}, "--method 'A B': allowed: a word"},
    {{"--method=", URL}, "--method '': allowed: a word"},
    {{"--header", "none", URL}, "--header 'none': allowed: NAME: VALUE"},
    {{"--header", ": none", URL}, "--header ': none': allowed: "},
    {{"--header", "A: b\r\nC: d", URL}, "--header 'A: b??C: d': allowed: "},
    {{"--expect-status", "200,", URL}, "--expect-status '200,': allowed: statuses"},
    {{"--expect-status", "99", URL}, "--expect-status '99': allowed: statuses"},
    {{"--expect-status", "1,2,3,4", URL}, "--expect-status '1,2,3,4': allowed: "},
    {{"--trickle-send", "1", URL}, "--trickle-send '1': allowed: BYTES:TIME"},
    {{"--trickle-send", "0:1s", URL}, "--trickle-send '0:1s': allowed: "},
    {{"--trickle-read", "1:0", URL}, "--trickle-read '1:0': allowed: "},
    {{"--sources", "0", URL}, "--sources '0': allowed: a number from 1 to 254"},
    {{"--sources", "255", URL}, "--sources '255': allowed: "},
    {{"--sources", "127.0.0.1,", URL}, "--sources '127.0.0.1,': allowed: "},
    {{"--class", "a", URL, "--class", "a"}, "--class 'a': allowed: a new name"},
    {{"--class", "a b", URL}, "--class 'a b': allowed: "},
    {{"--class", "", URL}, "--class '': allowed: "},
    {{"--hold", "--rate", "1", URL}, "class main: --hold asks nothing"},
    {{"--hold", "--deadline", "1", URL}, "class main: --hold asks nothing: no --deadline"},
    {{"--deadline", "0", URL}, "--deadline '0': allowed: a time from 1ms to 1440m"},
    {{"--interval", "0", URL}, "--interval '0': allowed: a time from 1ms to 1440m"},
    {{"--interval", "1", "--requests", "9", URL}, "--interval divides the window: give its length"},
    {{"--interval", "1ms", "--duration", "10s", URL}, "--interval: the window has over 10000 of them"},
    {{"--hold", "--greet", "--target", "127.0.0.1:1"}, "class main: it has no URL"},
    {{"--close", "--greet", URL}, "class main: --close opens connections only to ask"},
    {{"--close", "--each", "1", URL}, "class main: --each is of connections that stay"},
    {{"--rate", "1", "--each", "1", URL}, "class main: --each is of the closed model"},
    {{"--requests", "1", "--each", "1", URL}, "class main: --each or --requests, not both"},
    {{"--data", "x", "--body", "1", URL}, "class main: --data or --body, not both"},
    {{"--expect-echo", "--expect-length", "1", URL}, "class main: one of --expect-body"},
    {{"--trickle-send", "1:1s", "--trickle-read", "1:1s", URL},
     "class main: --trickle-send or --trickle-read"},
    {{"--target", "127.0.0.1:1", "--class", "a", "/", "--class", "b", "/", "--hold", "--each", "1"},
     "class b: --hold asks nothing"},
};

Test(swarm_command_line, bad)
{
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        struct run run;
        parse(&run, BAD[i].arguments);
        cr_expect_eq(run.outcome, COMMAND_LINE_BAD, "row %zu", i);
        cr_expect_arr_eq(run.error, BAD[i].error, strlen(BAD[i].error), "row %zu: %s", i, run.error);
        cr_expect_null(strchr(run.error, '\n'));
    }
}

Test(swarm_command_line, lists_end)
{
    struct run run;
    char names[OPTIONS_CLASSES_MAX + 1][16];
    char *argv[2 * OPTIONS_CLASSES_MAX + 8] = {NULL, (char *)(uintptr_t) "--target=127.0.0.1:1",
                                               (char *)(uintptr_t) "/"};
    int argc = 3;
    for (int i = 0; i <= OPTIONS_CLASSES_MAX; i++) {
        snprintf(names[i], sizeof(names[i]), "c%d", i);
        argv[argc++] = (char *)(uintptr_t) "--class";
        argv[argc++] = names[i];
    }
    cr_expect_eq(command_line_parse(&run.options, argc - 2, argv, run.error, sizeof(run.error)),
                 COMMAND_LINE_RUN);
    cr_expect_eq(command_line_parse(&run.options, argc, argv, run.error, sizeof(run.error)),
                 COMMAND_LINE_BAD);
}

Test(swarm_command_line, help_and_version_end_the_reading)
{
    struct run run;
    cr_expect_eq((parse(&run, ARGV("--help", "--nonsense")), run.outcome), COMMAND_LINE_HELP);
    cr_expect_eq((parse(&run, ARGV("-h")), run.outcome), COMMAND_LINE_HELP);
    cr_expect_eq((parse(&run, ARGV("--version")), run.outcome), COMMAND_LINE_VERSION);
    cr_expect_eq((parse(&run, ARGV("--nonsense", "--help")), run.outcome), COMMAND_LINE_BAD);
}

Test(swarm_command_line, help_fits_a_screen)
{
    char text[8192];
    FILE *out = fmemopen(text, sizeof(text), "w");
    cr_assert_not_null(out);
    command_line_help(out);
    fclose(out);
    unsigned lines = 0;
    for (size_t i = 0; i < FLAG_TOTAL; i++) {
        char name[64];
        snprintf(name, sizeof(name), "\n  --%s ", FLAGS[i].name);
        cr_expect_not_null(strstr(text, name), "--%s", FLAGS[i].name);
    }
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1, lines++) {
        *end = '\0';
        cr_expect_leq(strlen(line), 80, "%s", line);
        cr_expect(end == line || end[-1] != ' ', "blank at the end: %s", line);
    }
    cr_expect_leq(lines, 60);
}
