/* SPDX-License-Identifier: MIT */
/* Writes the table of flags in the formats of the files installed beside the server: the OPTIONS of the manual page
 * and the completions of three shells. The build runs it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/settings/flag_value.h"
#include "server/modes/mode.h"

/* The words that a shell may offer after a flag; NULL: none. */
static const char *flag_words(const struct flag *flag)
{
    switch (flag->kind) {
    case FLAG_MODE: return "modes";
    case FLAG_LOG_FORMAT: return "text json";
    case FLAG_SWITCH:
    case FLAG_LISTEN:
    case FLAG_COUNT:
    case FLAG_SIZE:
    case FLAG_DURATION:
    case FLAG_TEXT:
    case FLAG_NAME:
    case FLAG_PATH:
    case FLAG_FIELD:
    case FLAG_FAULT:
    case FLAG_URL: return NULL;
    }
    __builtin_unreachable();
}

static bool flag_is_file(const struct flag *flag)
{
    return flag->metavariable != NULL && strcmp(flag->metavariable, "FILE") == 0;
}

static void put_words(const struct flag *flag)
{
    if (flag->kind != FLAG_MODE) {
        fputs(flag_words(flag), stdout);
        return;
    }
    for (const struct mode_name *mode = mode_names(); mode->name != NULL && mode->missing == NULL; mode++) {
        printf("%s%s", mode == mode_names() ? "" : " ", mode->name);
    }
}

/* The text on one line, a backslash before each of the characters in `escaped`. */
static void put_text(const char *text, const char *escaped)
{
    for (; *text != '\0'; text++) {
        if (strchr(escaped, *text) != NULL) {
            putchar('\\');
        }
        putchar(*text == '\n' ? ' ' : *text);
    }
}

static const char *flag_default(const struct flag *flag)
{
    return flag->initial != NULL ? flag->initial : flag->shown;
}

/* Rows for the tests: name, metavariable, default and meaning between tabs. */
static void table_flag(const struct flag *flag)
{
    const char *initial = flag_default(flag);
    printf("--%s\t%s\t%s\t", flag->name, flag->metavariable != NULL ? flag->metavariable : "",
           initial != NULL ? initial : "");
    put_text(flag->meaning, "");
    putchar('\n');
}

/* In a manual page a leading dot or apostrophe begins a request, and a plain hyphen allows a line break. */
static void man_text(const char *text)
{
    if (*text == '.' || *text == '\'') {
        fputs("\\&", stdout);
    }
    put_text(text, "-\\");
}

static void man_variable(const struct flag *flag)
{
    fputs("ECHOD_", stdout);
    for (const char *c = flag->name; *c != '\0'; c++) {
        putchar(*c == '-' ? '_' : *c - ('a' - 'A'));
    }
}

static void man_modes(void)
{
    puts(".RS");
    for (const struct mode_name *mode = mode_names(); mode->name != NULL && mode->missing == NULL; mode++) {
        printf(".TP\n.B %s\n", mode->name);
        man_text(mode->summary);
        putchar('\n');
    }
    puts(".RE");
}

static void man_flag(const struct flag *flag)
{
    char allowed[256];
    fputs(".TP\n.B ", stdout);
    if (flag->letter != 0) {
        printf("\\-%c, ", flag->letter);
    }
    fputs("\\-\\-", stdout);
    man_text(flag->name);
    if (flag->metavariable != NULL) {
        printf(" \\fI%s\\fR", flag->metavariable);
    }
    putchar('\n');
    man_text(flag->meaning);
    if (flag_default(flag) != NULL) {
        fputs(".\nDefault: ", stdout);
        man_text(flag_default(flag));
    }
    if (flag->kind != FLAG_MODE) {
        flag_allowed(flag, mode_names(), allowed, sizeof(allowed));
        fputs(".\nAllowed: ", stdout);
        man_text(allowed);
    }
    fputs(".\nVariable:\n.B ", stdout);
    man_variable(flag);
    putchar('\n');
    if (flag->kind == FLAG_MODE) {
        man_modes();
    }
}

static void bash_flag(const struct flag *flag)
{
    if (flag->kind == FLAG_SWITCH || flag->kind == FLAG_URL) {
        return; /* another flag may follow it */
    }
    if (flag_words(flag) == NULL && !flag_is_file(flag)) {
        printf("    --%s) COMPREPLY=() ;;\n", flag->name);
    } else if (flag_is_file(flag)) {
        printf("    --%s)\n        compopt -o filenames\n        mapfile -t COMPREPLY < <(compgen -f -- "
               "\"$word\")\n        ;;\n",
               flag->name);
    } else {
        printf("    --%s) mapfile -t COMPREPLY < <(compgen -W '", flag->name);
        put_words(flag);
        puts("' -- \"$word\") ;;");
    }
}

static void bash_name(const struct flag *flag)
{
    if (flag->letter != 0) {
        printf(" -%c", flag->letter);
    }
    printf(" --%s", flag->name);
}

static void zsh_name(const struct flag *flag)
{
    if (flag->letter != 0) {
        printf("'(-%c --%s)'{-%c,--%s}'", flag->letter, flag->name, flag->letter, flag->name);
    } else {
        printf("'%s--%s%s", flag_separator(flag) != '\0' ? "*" : "", flag->name,
               flag->kind == FLAG_SWITCH ? "" : "=");
    }
}

static void zsh_flag(const struct flag *flag)
{
    fputs("    ", stdout);
    zsh_name(flag);
    putchar('[');
    for (const char *c = flag->meaning; *c != '\0'; c++) {
        if (*c == '\'') {
            fputs("'\\'", stdout);
        }
        putchar(*c == '\n' ? ' ' : *c);
    }
    putchar(']');
    if (flag_is_file(flag)) {
        printf(":%s:_files", flag->metavariable);
    } else if (flag_words(flag) != NULL) {
        printf(":%s:(", flag->metavariable);
        put_words(flag);
        putchar(')');
    } else if (flag->kind == FLAG_URL) {
        fputs("::URL: ", stdout); /* optional */
    } else if (flag->metavariable != NULL) {
        printf(":%s: ", flag->metavariable);
    }
    puts("' \\");
}

static void fish_flag(const struct flag *flag)
{
    printf("complete -c echod -l %s", flag->name);
    if (flag->letter != 0) {
        printf(" -s %c", flag->letter);
    }
    if (flag_is_file(flag)) {
        fputs(" -r -F", stdout);
    } else if (flag->kind != FLAG_SWITCH && flag->kind != FLAG_URL) {
        fputs(" -x", stdout);
        if (flag_words(flag) != NULL) {
            fputs(" -a '", stdout);
            put_words(flag);
            putchar('\'');
        }
    }
    fputs(" -d '", stdout);
    put_text(flag->meaning, "'\\");
    puts("'");
}

/* An output format: the text before the flags, the function that writes a flag, the text after them. */
struct language {
    const char *name;
    const char *before;
    void (*flag)(const struct flag *flag);
    const char *between; /* then `again` writes the flags a second time; NULL: it does not */
    void (*again)(const struct flag *flag);
    const char *behind;
};

static const struct language LANGUAGES[] = {
    {"table", "", table_flag, NULL, NULL, ""},
    {"man", "", man_flag, NULL, NULL, ""},
    {"bash",
     "# bash completion for echod, generated from the table of flags\n"
     "_echod() {\n"
     "    local word=${COMP_WORDS[COMP_CWORD]} flag=${COMP_WORDS[COMP_CWORD - 1]}\n"
     "    # bash splits --flag=value into three words.\n"
     "    if [ \"$word\" = = ]; then\n"
     "        word=\n"
     "    elif [ \"$flag\" = = ]; then\n"
     "        flag=${COMP_WORDS[COMP_CWORD - 2]}\n"
     "    fi\n"
     "    case $flag in\n",
     bash_flag, "    *) mapfile -t COMPREPLY < <(compgen -W '-h --help --version", bash_name,
     "' -- \"$word\") ;;\n"
     "    esac\n"
     "}\n"
     "complete -F _echod echod\n"},
    {"zsh",
     "#compdef echod\n"
     "# zsh completion for echod, generated from the table of flags\n"
     "_arguments -s \\\n",
     zsh_flag, NULL, NULL,
     "    '(- *)'{-h,--help}'[print the most used flags, or all]' \\\n"
     "    '(- *)--version[print the versions of echod and its libraries]'\n"},
    {"fish",
     "# fish completion for echod, generated from the table of flags\n"
     "complete -c echod -f\n",
     fish_flag, NULL, NULL,
     "complete -c echod -l help -s h -d 'print the most used flags, or all'\n"
     "complete -c echod -l version -d 'print the versions of echod and its libraries'\n"},
};

static void for_each_flag(void (*write)(const struct flag *flag))
{
    for (size_t i = 0; i < FLAG_TOTAL; i++) {
        write(&FLAGS[i]);
    }
}

static void write_language(const struct language *language)
{
    fputs(language->before, stdout);
    for_each_flag(language->flag);
    if (language->between != NULL) {
        fputs(language->between, stdout);
        for_each_flag(language->again);
    }
    fputs(language->behind, stdout);
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < sizeof(LANGUAGES) / sizeof(LANGUAGES[0]); i++) {
        if (strcmp(argv[1], LANGUAGES[i].name) == 0) {
            write_language(&LANGUAGES[i]);
            return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
        }
    }
    fputs("usage: describe table|man|bash|zsh|fish\n", stderr);
    return 2;
}
