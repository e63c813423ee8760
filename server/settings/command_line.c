/* SPDX-License-Identifier: MIT */
/* Reads the command line and the environment by the table of flags, and prints that table as --help. */
#include "server/settings/command_line.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "common/base/number.h"
#include "server/settings/flag_value.h"

#define FLAG_PREFIX     "--"
#define VARIABLE_PREFIX "ECHOD_"
#define PORT_VARIABLE   "PORT"
#define BLANKS          " \t"
#define VALUE_SHOWN_MAX 80 /* bytes of a refused value that a message repeats */

/* One run of command_line_parse(). */
struct parser {
    struct options *options;
    const struct mode_name *modes;
    char *error;
    size_t error_size;
    bool given[FLAG_TOTAL]; /* on the command line */
};

/* A value, and where it came from for the message that refuses it. */
struct origin {
    const char *prefix; /* FLAG_PREFIX or VARIABLE_PREFIX */
    const char *value;  /* NULL: it is missing */
    size_t length;
};

/* A message is one line whatever the value held. */
static void flatten(char *text)
{
    for (; *text != '\0'; text++) {
        if (iscntrl((unsigned char)*text)) {
            *text = '?';
        }
    }
}

static void refuse_argument(const struct parser *parser, const char *what, const char *argument)
{
    snprintf(parser->error, parser->error_size, "%s '%.*s'%s; --help lists what is allowed", what,
             VALUE_SHOWN_MAX, argument, strlen(argument) > VALUE_SHOWN_MAX ? "..." : "");
    flatten(parser->error);
}

/* A character of a flag's name as it stands in the name of its variable. */
static char variable_character(char c)
{
    if (c == '-') {
        return '_';
    }
    return (char)toupper((unsigned char)c);
}

/* `why` may be empty. */
static void refuse_value(const struct parser *parser, const struct flag *flag, const struct origin *origin,
                         const char *why)
{
    char name[32] = "";
    char value[VALUE_SHOWN_MAX + sizeof(" ''...")] = "";
    char allowed[192];
    bool variable = strcmp(origin->prefix, VARIABLE_PREFIX) == 0;
    for (size_t i = 0; i < sizeof(name) - 1 && flag->name[i] != '\0'; i++) {
        name[i] = flag->name[i];
        if (variable) {
            name[i] = variable_character(flag->name[i]);
        }
    }
    if (origin->value != NULL) {
        bool cut = origin->length > VALUE_SHOWN_MAX;
        snprintf(value, sizeof(value), " '%.*s'%s", cut ? VALUE_SHOWN_MAX : (int)origin->length,
                 origin->value, cut ? "..." : "");
    }
    flag_allowed(flag, parser->modes, allowed, sizeof(allowed));
    snprintf(parser->error, parser->error_size, "%s%s%s: %s%sallowed: %s", origin->prefix, name, value, why,
             *why != '\0' ? "; " : "", allowed);
    flatten(parser->error);
}

static bool set_value(const struct parser *parser, const struct flag *flag, const struct origin *origin)
{
    const char *why;
    if (!flag_set(flag, parser->options, parser->modes, origin->value, origin->length, &why)) {
        refuse_value(parser, flag, origin, why);
        return false;
    }
    return true;
}

/* One item of a list, without the blanks around it. */
static struct origin list_item(const char *prefix, const char *text, size_t length)
{
    size_t blanks = strspn(text, BLANKS);
    if (blanks > length) {
        blanks = length;
    }
    struct origin item = {.prefix = prefix, .value = text + blanks, .length = length - blanks};
    while (item.length > 0 && strchr(BLANKS, item.value[item.length - 1]) != NULL) {
        item.length--;
    }
    return item;
}

/* A variable or a default: the values of a repeatable flag are in one text there. */
static bool set_values(const struct parser *parser, const struct flag *flag, const char *prefix,
                       const char *text)
{
    struct origin origin = {.prefix = prefix, .value = text, .length = strlen(text)};
    const char separator[] = {flag_separator(flag), '\0'};
    if (*separator == '\0') {
        return set_value(parser, flag, &origin);
    }
    for (;; text++) {
        size_t length = strcspn(text, separator);
        struct origin item = list_item(prefix, text, length);
        bool nothing =
            *separator == '\n' && item.length == 0; /* a text of several lines may end in a newline */
        if (!nothing && !set_value(parser, flag, &item)) {
            return false;
        }
        text += length;
        if (*text == '\0') {
            return true;
        }
    }
}

/* The value of an environment's entry if it is the flag's variable, else NULL. */
static const char *variable_value(const char *entry, const struct flag *flag)
{
    if (strncmp(entry, VARIABLE_PREFIX, strlen(VARIABLE_PREFIX)) != 0) {
        return NULL;
    }
    entry += strlen(VARIABLE_PREFIX);
    const char *name = flag->name;
    while (*name != '\0' && *entry == variable_character(*name)) {
        name++;
        entry++;
    }
    return *name == '\0' && *entry == '=' ? entry + 1 : NULL;
}

/* NULL if the flag's variable is not set or empty. */
static const char *find_variable(char *const *envp, const struct flag *flag)
{
    for (; *envp != NULL; envp++) {
        const char *value = variable_value(*envp, flag);
        if (value != NULL) {
            return *value != '\0' ? value : NULL;
        }
    }
    return NULL;
}

/* NULL if PORT is not set or empty. */
static const char *find_port(char *const *envp)
{
    const char *name = PORT_VARIABLE "=";
    for (; *envp != NULL; envp++) {
        if (strncmp(*envp, name, strlen(name)) == 0) {
            const char *value = *envp + strlen(name);
            return *value != '\0' ? value : NULL;
        }
    }
    return NULL;
}

/* --listen *:$PORT. */
static bool listen_on_port(const struct parser *parser, const char *value)
{
    uint64_t port;
    if (number_parse_u64(value, strlen(value), UINT16_MAX, &port) != 0) {
        snprintf(parser->error, parser->error_size,
                 PORT_VARIABLE " '%.*s'%s: allowed: a whole number from 0 to %u", VALUE_SHOWN_MAX, value,
                 strlen(value) > VALUE_SHOWN_MAX ? "..." : "", UINT16_MAX);
        flatten(parser->error);
        return false;
    }
    parser->options->listen.items[0] =
        (struct listen_spec){.kind = LISTEN_ANY, .port = htons((uint16_t)port)};
    parser->options->listen.count = 1;
    parser->options->listens_on_port = true;
    return true;
}

/* The flag of an argument and, where the argument holds one after `=`, its value. NULL: there is no such
 * flag. */
static const struct flag *find_flag(const char *argument, const char **value)
{
    *value = NULL;
    if (argument[0] == '-' && argument[1] != '-' && argument[1] != '\0' && argument[2] == '\0') {
        return flag_find_letter(argument[1]);
    }
    if (strncmp(argument, FLAG_PREFIX, strlen(FLAG_PREFIX)) != 0) {
        return NULL;
    }
    const char *name = argument + strlen(FLAG_PREFIX);
    size_t length = strcspn(name, "=");
    if (name[length] == '=') {
        *value = name + length + 1;
    }
    return flag_find(name, length);
}

/* Reads the flag at argv[0] and its value, there or at argv[1]. Returns how many arguments it took, 0 if
 * refused. */
static int parse_flag(struct parser *parser, char *const *argv)
{
    struct origin origin = {.prefix = FLAG_PREFIX};
    const struct flag *flag = find_flag(argv[0], &origin.value);
    int taken = 1;
    if (flag == NULL) {
        refuse_argument(parser, argv[0][0] == '-' ? "unknown flag" : "unexpected argument", argv[0]);
        return 0;
    }
    parser->given[flag - FLAGS] = true;
    if (origin.value == NULL && flag->kind == FLAG_URL && (argv[1] == NULL || argv[1][0] == '-')) {
        parser->options->check = OPTIONS_CHECK_OWN;
        return taken;
    }
    if (origin.value == NULL && flag->kind == FLAG_SWITCH) {
        origin.value = "true";
    } else if (origin.value == NULL) {
        if (argv[1] == NULL || strncmp(argv[1], FLAG_PREFIX, strlen(FLAG_PREFIX)) == 0) {
            refuse_value(parser, flag, &origin, "its value is missing");
            return 0;
        }
        origin.value = argv[1];
        taken = 2;
    }
    origin.length = strlen(origin.value);
    return set_value(parser, flag, &origin) ? taken : 0;
}

static enum command_line_outcome parse_arguments(struct parser *parser, int argc, char *const *argv)
{
    for (int i = 1; i < argc;) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return argv[i + 1] != NULL && strcmp(argv[i + 1], "all") == 0 ? COMMAND_LINE_HELP_ALL
                                                                          : COMMAND_LINE_HELP;
        }
        if (strcmp(argv[i], "--help=all") == 0) {
            return COMMAND_LINE_HELP_ALL;
        }
        if (strcmp(argv[i], "--version") == 0) {
            return COMMAND_LINE_VERSION;
        }
        int taken = parse_flag(parser, argv + i);
        if (taken == 0) {
            return COMMAND_LINE_BAD;
        }
        i += taken;
    }
    return COMMAND_LINE_RUN;
}

/* Sets a flag that was not given on the command line: from its variable; else, for --listen, from PORT; else from its
 * default. */
static bool set_from_environment(const struct parser *parser, const struct flag *flag, char *const *envp)
{
    const char *variable = find_variable(envp, flag);
    const char *port = flag->member == offsetof(struct options, listen) ? find_port(envp) : NULL;
    if (variable != NULL) {
        return set_values(parser, flag, VARIABLE_PREFIX, variable);
    }
    if (port != NULL) {
        return listen_on_port(parser, port);
    }
    return flag->initial == NULL || set_values(parser, flag, FLAG_PREFIX, flag->initial);
}

/* Whether --check has a port to ask. Without a URL it has none if the checked listener has port 0: only the server
 * itself knows which free port it got. */
static bool may_check(const struct parser *parser)
{
    const struct options *options = parser->options;
    const struct listen_spec *listener = options_checked_listener(options);
    if (*options->check != '\0' || listener->kind == LISTEN_UNIX || listener->port != 0) {
        return true;
    }
    snprintf(parser->error, parser->error_size,
             "--check: %s has port 0, any free one; allowed: a URL, or another port",
             options->admin_listen.count > 0 ? "--admin-listen"
             : options->listens_on_port      ? PORT_VARIABLE
                                             : "--listen");
    return false;
}

/* Refuses the value of a flag, wherever it was given, because another flag does not allow it. */
static bool refuse_together(const struct parser *parser, const char *name, const char *value, const char *why)
{
    const struct flag *flag = flag_find(name, strlen(name));
    struct origin origin = {.prefix = parser->given[flag - FLAGS] ? FLAG_PREFIX : VARIABLE_PREFIX,
                            .value = value,
                            .length = value != NULL ? strlen(value) : 0};
    refuse_value(parser, flag, &origin, why);
    return false;
}

/* Whether the options go together. */
static bool may_stand_together(const struct parser *parser)
{
    const struct options *options = parser->options;
    struct fault fault;
    if (options->log_headers && options->log_format != OPTIONS_LOG_JSON) {
        return refuse_together(parser, "log-headers", NULL, "it needs --log-format json");
    }
    if (options->default_delay != NULL &&
        fault_read(FAULT_DELAY, (struct span){options->default_delay, strlen(options->default_delay)},
                   options->max_delay_ms, 0, &fault) != 0) {
        return refuse_together(parser, "default-delay", options->default_delay, "it exceeds --max-delay");
    }
    if (options->trace != NULL && options->access_log != NULL &&
        strcmp(options->trace, options->access_log) == 0) {
        return refuse_together(parser, "trace", options->trace, "it is the file of --access-log");
    }
    return true;
}

enum command_line_outcome command_line_parse(struct options *options, int argc, char *const *argv,
                                             char *const *envp, const struct mode_name *modes, char *error,
                                             size_t size)
{
    *options = (struct options){.mode = NULL};
    struct parser parser = {.options = options, .modes = modes, .error = error, .error_size = size};
    enum command_line_outcome outcome = parse_arguments(&parser, argc, argv);
    if (outcome != COMMAND_LINE_RUN) {
        return outcome;
    }
    for (size_t i = 0; i < FLAG_TOTAL; i++) {
        if (!parser.given[i] && !set_from_environment(&parser, &FLAGS[i], envp)) {
            return COMMAND_LINE_BAD;
        }
    }
    if (!may_stand_together(&parser)) {
        return COMMAND_LINE_BAD;
    }
    if (options->check == NULL) {
        return COMMAND_LINE_RUN;
    }
    return may_check(&parser) ? COMMAND_LINE_CHECK : COMMAND_LINE_BAD;
}

#define HELP_COLUMN 28

static void print_flag(FILE *out, const struct flag *flag)
{
    int width = flag->letter != 0 ? fprintf(out, "  -%c, --%s", flag->letter, flag->name)
                                  : fprintf(out, "  --%s", flag->name);
    if (flag->metavariable != NULL) {
        width += fprintf(out, " %s", flag->metavariable);
    }
    fprintf(out, "%*s", HELP_COLUMN - width, "");
    for (const char *c = flag->meaning; *c != '\0'; c++) {
        fputc(*c, out);
        if (*c == '\n') {
            fprintf(out, "%*s", HELP_COLUMN, "");
        }
    }
    const char *initial = flag->initial != NULL ? flag->initial : flag->shown;
    if (initial != NULL) {
        fprintf(out, " [%s]", initial);
    }
    fputc('\n', out);
}

static void print_modes(FILE *out, const struct mode_name *modes)
{
    for (; modes->name != NULL && modes->missing == NULL; modes++) {
        fprintf(out, "    %-8s  %s\n", modes->name, modes->summary);
    }
    for (; modes->name != NULL; modes++) {
        fprintf(out, "    %s: %s\n", modes->name, modes->missing);
    }
}

static void print_row(FILE *out, const char *left, const char *right)
{
    fprintf(out, "  %-*s%s\n", HELP_COLUMN - 2, left, right);
}

void command_line_help(FILE *out, const struct mode_name *modes, bool all)
{
    static const char *const groups[] = {
        [FLAG_GROUP_MODEL] = "Concurrency", [FLAG_GROUP_LISTENERS] = "Listeners",
        [FLAG_GROUP_LIMITS] = "Limits",     [FLAG_GROUP_TIMEOUTS] = "Timeouts",
        [FLAG_GROUP_FAULTS] = "Faults",     [FLAG_GROUP_LOG] = "Log",
        [FLAG_GROUP_OTHER] = "Other",
    };
    fputs("Usage: echod [--mode MODE] [flags]\n"
          "HTTP echo server with the same answers under several concurrency models.\n",
          out);
    for (size_t i = 0; i < FLAG_TOTAL; i++) {
        const struct flag *flag = &FLAGS[i];
        if (i == 0 || (all && flag->group != FLAGS[i - 1].group)) {
            fprintf(out, "\n%s%s", all ? groups[flag->group] : "", all ? ":\n" : "");
        }
        if (all || flag->common) {
            print_flag(out, flag);
        }
        if (flag->kind == FLAG_MODE) {
            print_modes(out, modes);
        }
    }
    print_row(out, "-h, --help [all]",
              all ? "print the most used flags, or all flags" : "print this, or all flags");
    print_row(out, "--version", "print the versions of echod and its libraries");
    fputs(all ? "\n" : "", out); /* a screen has 24 lines */
    fputs("Each flag has a variable: ECHOD_MAX_BODY_SIZE for --max-body-size.\n", out);
    if (all) {
        fputs("The flag takes precedence; an empty variable counts as not set. A value follows\n"
              "its flag as --flag VALUE or --flag=VALUE. SIZE is in bytes, or with k, m or g\n"
              "(binary); TIME in seconds, or with ms, s or m. If PORT is set and neither\n"
              "--listen nor ECHOD_LISTEN is, echod listens on *:$PORT.\n",
              out);
    }
}
