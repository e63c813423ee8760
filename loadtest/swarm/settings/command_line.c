/* SPDX-License-Identifier: MIT */
/* Reads the command line by the table of flags, refuses what does not go together, fills in what was left open. */
#include "loadtest/swarm/settings/command_line.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "loadtest/swarm/settings/flag.h"

#define URL_PREFIX      "http://"
#define VALUE_SHOWN_MAX 80 /* bytes of a refused value that a message repeats */
#define HELP_COLUMN     30

enum { DEFAULT_TIME_MS = 10000, SLOW_READER_BUFFER = 4096 };

/* A quarter of an address's ports for one destination: the fewer are left, the longer the kernel looks for one. */
enum { CONNECTIONS_PER_SOURCE = 7000 };

/* One run of command_line_parse(). */
struct parser {
    struct options *options;
    struct options_class defaults;
    char *error;
    size_t error_size;
    bool grace_given;
    bool url_given; /* where flags belong now */
};

static __attribute__((format(printf, 2, 3))) bool refuse(const struct parser *parser, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(parser->error, parser->error_size, format, arguments);
    va_end(arguments);
    for (char *at = parser->error; *at != '\0'; at++) {
        if (iscntrl((unsigned char)*at)) {
            *at = '?'; /* a message is one line whatever the value held */
        }
    }
    return false;
}

static bool refuse_value(const struct parser *parser, const struct flag *flag, const char *value)
{
    char allowed[192];
    flag_allowed(flag, allowed, sizeof(allowed));
    if (value == NULL) {
        return refuse(parser, "--%s: its value is missing; allowed: %s", flag->name, allowed);
    }
    return refuse(parser, "--%s '%.*s': allowed: %s", flag->name, VALUE_SHOWN_MAX, value, allowed);
}

/* The class that flags belong to where they stand now. */
static struct options_class *current(struct parser *parser)
{
    struct options *options = parser->options;
    return options->class_count == 0 ? &parser->defaults : &options->classes[options->class_count - 1];
}

static bool begin_class(struct parser *parser, const struct flag *flag, const char *name)
{
    struct options *options = parser->options;
    bool fine =
        *name != '\0' &&
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == strlen(name);
    for (unsigned i = 0; i < options->class_count; i++) {
        fine = fine && strcmp(options->classes[i].name, name) != 0;
    }
    if (!fine || options->class_count == OPTIONS_CLASSES_MAX) {
        return refuse_value(parser, flag, name);
    }
    options->classes[options->class_count] = parser->defaults;
    options->classes[options->class_count++].name = name;
    parser->url_given = false;
    return true;
}

static bool set_url(struct parser *parser, const char *url)
{
    struct options_class *to = current(parser);
    const char *path = url;
    if (parser->url_given) {
        return refuse(parser, "'%.*s': a second URL; each class has one", VALUE_SHOWN_MAX, url);
    }
    parser->url_given = true;
    to->authority = SPAN_LITERAL("");
    if (strncmp(url, URL_PREFIX, strlen(URL_PREFIX)) == 0) {
        const char *authority = url + strlen(URL_PREFIX);
        path = authority + strcspn(authority, "/?#");
        to->authority = span_between(authority, path);
    }
    to->path = *path == '\0' ? "/" : path;
    for (const char *at = to->path; *at != '\0'; at++) {
        if (*at <= ' ' || *at == 0x7f || *at == '#') {
            to->path = "";
            break;
        }
    }
    if (to->path[0] != '/') {
        return refuse(parser,
                      "'%.*s': allowed: flags, and http://ADDRESS:PORT/PATH or /PATH; --help lists the flags",
                      VALUE_SHOWN_MAX, url);
    }
    return true;
}

/* Reads the flag at argv[0] and its value, there or at argv[1]. Returns how many arguments it took, 0 if refused. */
static int parse_flag(struct parser *parser, char *const *argv)
{
    const char *name = argv[0] + strlen("--");
    size_t length = strcspn(name, "=");
    const char *value = name[length] == '=' ? name + length + 1 : NULL;
    const struct flag *flag = flag_find(name, length);
    int taken = 1;
    if (flag == NULL || (flag->kind == FLAG_SWITCH && value != NULL)) {
        refuse(parser, "unknown flag '%.*s'; --help lists what is allowed", VALUE_SHOWN_MAX, argv[0]);
        return 0;
    }
    if (flag->kind != FLAG_SWITCH && value == NULL) {
        value = argv[1];
        taken = 2;
    }
    if (flag->kind != FLAG_SWITCH && value == NULL) {
        refuse_value(parser, flag, NULL);
        return 0;
    }
    parser->grace_given = parser->grace_given || flag == flag_find("grace", strlen("grace"));
    if (flag->kind == FLAG_CLASS) {
        return begin_class(parser, flag, value) ? taken : 0;
    }
    void *to = flag->scope == FLAG_OF_RUN ? (void *)parser->options : (void *)current(parser);
    if (!flag_set(flag, to, value)) {
        refuse_value(parser, flag, value);
        return 0;
    }
    return taken;
}

/* Checks that the class has a URL if it needs one, and that its flags do not exclude each other. */
static bool class_consistent(const struct parser *parser, const struct options_class *c)
{
    const struct {
        bool wrong;
        const char *why;
    } rules[] = {
        {c->path == NULL && (!c->hold || c->greet), "it has no URL"},
        {c->hold && (c->rate != 0 || c->requests != 0 || c->each != 0),
         "--hold asks nothing: no --rate, --requests, --each"},
        {c->close && (c->hold || c->greet), "--close opens connections only to ask: no --hold, --greet"},
        {c->hold && c->deadline_ms != 0, "--hold asks nothing: no --deadline"},
        {c->each != 0 && c->rate != 0, "--each is of the closed model: no --rate"},
        {c->each != 0 && c->requests != 0, "--each or --requests, not both"},
        {c->each != 0 && c->close, "--each is of connections that stay: no --close"},
        {c->data != NULL && c->body_size != 0, "--data or --body, not both"},
        {(c->expect_body != NULL) + (c->expect_length != OPTIONS_ANY_LENGTH) + c->expect_echo > 1,
         "one of --expect-body, --expect-length, --expect-echo"},
        {c->trickle_send.bytes != 0 && c->trickle_read.bytes != 0,
         "--trickle-send or --trickle-read, not both"},
    };
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (rules[i].wrong) {
            return refuse(parser, "class %s: %s", c->name, rules[i].why);
        }
    }
    return true;
}

/* The target that the URLs name, if no flag did. */
static bool find_target(const struct parser *parser)
{
    struct options *options = parser->options;
    struct span authority = SPAN_LITERAL("");
    for (unsigned i = 0; i < options->class_count; i++) {
        struct span own = options->classes[i].authority;
        if (own.length == 0) {
            continue;
        }
        if (options->targets.count != 0 || (authority.length != 0 && !span_equal(authority, own))) {
            return refuse(
                parser,
                "'%.*s': all classes have the same target; name it by --target, the URLs by their /PATH",
                (int)own.length, own.data);
        }
        authority = own;
    }
    if (options->targets.count != 0) {
        return true;
    }
    if (authority.length == 0) {
        return refuse(parser, "no target: give http://ADDRESS:PORT/PATH, or --target");
    }
    if (!address_parse_target(&options->targets.items[0], authority.data, authority.length)) {
        return refuse(parser, "'%.*s': allowed: " ADDRESS_TARGET_FORMS, (int)authority.length,
                      authority.data);
    }
    options->targets.count = 1;
    options->host = authority.data;
    options->host_length = authority.length;
    return true;
}

/* The ports of one loopback address would run out. */
static void find_sources(struct options *options)
{
    uint64_t connections = 0;
    bool loopback = true;
    for (unsigned i = 0; i < options->class_count; i++) {
        connections += options->classes[i].connections;
    }
    for (unsigned i = 0; i < options->targets.count; i++) {
        loopback = loopback && address_is_loopback(&options->targets.items[i]);
    }
    if (options->sources.count != 0 || !loopback || connections <= CONNECTIONS_PER_SOURCE) {
        return;
    }
    uint64_t needed = (connections + CONNECTIONS_PER_SOURCE - 1) / CONNECTIONS_PER_SOURCE;
    while (options->sources.count < needed && options->sources.count < OPTIONS_SOURCES_MAX) {
        options->sources.items[options->sources.count] = address_loopback(options->sources.count + 1);
        options->sources.count++;
    }
}

static void fill_in_class(struct options_class *c)
{
    if (c->statuses.count == 0) {
        c->statuses.items[c->statuses.count++] = 200;
    }
    if (c->receive_buffer == 0 && c->trickle_read.bytes != 0) {
        c->receive_buffer = SLOW_READER_BUFFER;
    }
    if (c->method == NULL) {
        c->method = c->body_size != 0 || c->data != NULL ? "POST" : "GET";
    }
}

static bool interval_consistent(const struct parser *parser)
{
    const struct options *options = parser->options;
    if (options->interval_ms == 0) {
        return true;
    }
    if (options->duration_ms == 0) {
        return refuse(parser, "--interval divides the window: give its length with --duration");
    }
    if (options->duration_ms / options->interval_ms >= OPTIONS_INTERVALS_MAX) {
        return refuse(parser, "--interval: the window has over %d of them", OPTIONS_INTERVALS_MAX);
    }
    return true;
}

static bool finish(struct parser *parser)
{
    struct options *options = parser->options;
    bool endless = false;
    if (options->class_count == 0) {
        options->classes[options->class_count++] = parser->defaults;
    }
    if (!find_target(parser)) {
        return false;
    }
    for (unsigned i = 0; i < options->class_count; i++) {
        struct options_class *c = &options->classes[i];
        if (!class_consistent(parser, c)) {
            return false;
        }
        fill_in_class(c);
        endless = endless || (!c->hold && c->requests == 0 && c->each == 0);
    }
    if (strncmp(options->host, "unix:", strlen("unix:")) == 0) {
        options->host = "localhost";
        options->host_length = strlen(options->host);
    }
    find_sources(options);
    if (options->duration_ms == 0 && endless) {
        options->duration_ms = DEFAULT_TIME_MS;
    }
    if (!interval_consistent(parser)) {
        return false;
    }
    if (!parser->grace_given) {
        options->grace_ms = DEFAULT_TIME_MS;
    }
    return true;
}

enum command_line_outcome command_line_parse(struct options *options, int argc, char *const *argv,
                                             char *error, size_t size)
{
    struct parser parser = {
        .options = options,
        .defaults = {.name = "main",
                     .authority = SPAN_LITERAL(""),
                     .connections = 1,
                     .timeout_ms = DEFAULT_TIME_MS,
                     .expect_length = OPTIONS_ANY_LENGTH},
        .error = error,
        .error_size = size,
    };
    *options = (struct options){.progress = isatty(STDERR_FILENO)};
    for (int i = 1; i < argc;) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return COMMAND_LINE_HELP;
        }
        if (strcmp(argv[i], "--version") == 0) {
            return COMMAND_LINE_VERSION;
        }
        int taken =
            strncmp(argv[i], "--", 2) == 0 ? parse_flag(&parser, argv + i) : set_url(&parser, argv[i]);
        if (taken == 0) {
            return COMMAND_LINE_BAD;
        }
        i += taken;
    }
    return finish(&parser) ? COMMAND_LINE_RUN : COMMAND_LINE_BAD;
}

static void print_flag(FILE *out, const struct flag *flag)
{
    char left[64];
    snprintf(left, sizeof(left), "  --%s%s%s", flag->name, flag->metavariable != NULL ? " " : "",
             flag->metavariable != NULL ? flag->metavariable : "");
    fprintf(out, "%-*s%s\n", HELP_COLUMN, left, flag->meaning);
}

void command_line_help(FILE *out)
{
    fputs("Usage: swarm [flags] URL\n"
          "       swarm [flags] --class NAME [flags] URL --class NAME [flags] URL ...\n\n"
          "Loads an HTTP/1.1 server and prints what came of it as a line of JSON. URL is\n"
          "http://ADDRESS:PORT/PATH, or /PATH beside --target.\n\n"
          "The run:\n",
          out);
    for (size_t i = 0; i < FLAG_TOTAL; i++) {
        if (i > 0 && FLAGS[i].scope == FLAG_OF_CLASS && FLAGS[i - 1].scope == FLAG_OF_RUN) {
            fputs("\nA class of connections; before the first --class, all of them:\n", out);
        }
        print_flag(out, &FLAGS[i]);
    }
    fprintf(out, "\n%-*s%s\n%-*s%s\n", HELP_COLUMN, "  -h, --help", "print this", HELP_COLUMN, "  --version",
            "print the versions of swarm and its libraries");
    fputs("\nSIZE: bytes, or with k, m or g (binary). TIME: seconds, or with ms, s or m.\n"
          "Exit status: 0 with a result, 1 if nothing could be done, 2 for bad usage.\n",
          out);
}
