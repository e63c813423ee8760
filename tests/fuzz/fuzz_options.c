/* SPDX-License-Identifier: MIT */
/* A command line and an environment: words that NUL separates; those that begin with ECHOD_ are variables. */
#include <ctype.h>
#include <stdlib.h>

#include "server/settings/command_line.h"
#include "server/settings/flag.h"
#include "tests/fuzz/fuzz.h"

enum { WORDS_MAX = 32 };

static const struct mode_name modes[] = {{"thread", "a pthread for each connection", NULL},
                                         {"event", "loops", NULL},
                                         {"uring", NULL, "not in this build"},
                                         {NULL, NULL, NULL}};

static void check_message(const char *error, size_t size)
{
    size_t length = strnlen(error, size);
    FUZZ_CHECK(length > 0 && length < size);
    for (size_t i = 0; i < length; i++) {
        FUZZ_CHECK(!iscntrl((unsigned char)error[i]));
    }
}

static void check_options(const struct options *options)
{
    FUZZ_CHECK(options->mode == modes[0].name || options->mode == modes[1].name);
    FUZZ_CHECK(options->listen.count >= 1 && options->listen.count <= LISTENERS_SPEC_MAX);
    FUZZ_CHECK(options->admin_listen.count <= LISTENERS_SPEC_MAX);
    FUZZ_CHECK(options->loops <= 1024 && options->workers <= 16384 && options->queue >= 1);
    FUZZ_CHECK(options->max_header_size >= 256 && options->max_buffer_memory >= 65536);
    FUZZ_CHECK(options->header_timeout_ms >= 1 && options->idle_timeout_ms >= 1);
    FUZZ_CHECK(options->max_delay_ms <= 3600000 &&
               (!options->log_headers || options->log_format == OPTIONS_LOG_JSON));
    FUZZ_CHECK(options->log_skip.count <= OPTIONS_LIST_MAX &&
               options->default_header.count <= OPTIONS_LIST_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    char name[] = "echod";
    char *argv[WORDS_MAX + 2] = {name};
    char *envp[WORDS_MAX + 1] = {NULL};
    int argc = 1;
    int variables = 0;
    if (text == NULL) {
        abort();
    }
    memcpy(text, size > 0 ? (const char *)data : "", size);
    text[size] = '\0';
    for (char *word = text; word < text + size && argc + variables < WORDS_MAX; word += strlen(word) + 1) {
        if (strncmp(word, "ECHOD_", 6) == 0 || strncmp(word, "PORT=", 5) == 0) {
            envp[variables++] = word;
        } else {
            argv[argc++] = word;
        }
    }
    struct options options;
    char error[256] = "";
    switch (command_line_parse(&options, argc, argv, envp, modes, error, sizeof error)) {
    case COMMAND_LINE_RUN:
    case COMMAND_LINE_CHECK: check_options(&options); break;
    case COMMAND_LINE_BAD: check_message(error, sizeof error); break;
    case COMMAND_LINE_HELP:
    case COMMAND_LINE_HELP_ALL:
    case COMMAND_LINE_VERSION: break;
    }
    free(text);
    return 0;
}
