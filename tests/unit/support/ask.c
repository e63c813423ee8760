/* SPDX-License-Identifier: MIT */
/* From a row to a request's bytes, and from the answer's bytes to a judgement. */
#include "tests/unit/support/ask.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static char said[400];

__attribute__((format(printf, 1, 2))) static const char *say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(said, sizeof said, format, arguments);
    va_end(arguments);
    return said;
}

static const char *or_empty(const char *text)
{
    return text == NULL ? "" : text;
}

static struct span ask_bytes(const struct ask *ask, char **owned)
{
    char length[64] = "";
    if (ask->body != NULL) {
        snprintf(length, sizeof length, "Content-Length: %zu\r\n", strlen(ask->body));
    }
    int written = asprintf(owned, "%s HTTP/1.1\r\nHost: h\r\n%s%s\r\n%s", ask->line, or_empty(ask->sent),
                           length, or_empty(ask->body));
    if (written < 0) {
        abort();
    }
    return (struct span){.data = *owned, .length = (size_t)written};
}

static const char *judge_field(const struct answer *answer, const char *field)
{
    struct span value;
    if (field[0] == '!') {
        return answer_field(answer, field + 1, &value) == 0 ? NULL : say("there should be no %s", field + 1);
    }
    const char *colon = strstr(field, ": ");
    char name[64];
    if (colon == NULL) {
        return say("the row's field \"%s\" is no field", field);
    }
    snprintf(name, sizeof name, "%.*s", (int)(colon - field), field);
    return answer_has(answer, name, colon + 2) ? NULL : say("no %s", field);
}

static const char *judge_answer(const struct ask *ask, const struct answer *answer)
{
    const char *wrong = NULL;
    if (answer->status != ask->status) {
        return say("%u instead of %u: %.*s", answer->status, ask->status, (int)answer->body.length,
                   answer->body.data);
    }
    if (!answer->complete) {
        return "its body is cut short";
    }
    for (size_t i = 0; i < ASK_FIELDS_MAX && ask->fields[i] != NULL && wrong == NULL; i++) {
        wrong = judge_field(answer, ask->fields[i]);
    }
    if (wrong != NULL) {
        return wrong;
    }
    if (ask->answer != NULL &&
        !span_equal(answer->body, (struct span){.data = ask->answer, .length = strlen(ask->answer)})) {
        return say("its body is \"%.*s\"", (int)answer->body.length, answer->body.data);
    }
    if (ask->within != NULL && !span_contains(answer->body, ask->within)) {
        return say("no %s in \"%.*s\"", ask->within, (int)answer->body.length, answer->body.data);
    }
    return answer_has(answer, "Connection", "close") == ask->close ? NULL : "Connection: close is wrong";
}

static const char *judge(const struct ask *ask, const struct transcript *transcript)
{
    struct span rest = transcript_span(transcript);
    struct answer answer;
    const char *wrong;
    if (transcript->problem[0] != '\0') {
        return say("%s", transcript->problem);
    }
    do { /* past an interim answer */
        wrong = answer_next(&rest, strncmp(ask->line, "HEAD ", 5) == 0, &answer);
    } while (wrong == NULL && answer.status == 100);
    if (wrong == NULL) {
        wrong = judge_answer(ask, &answer);
    }
    if (wrong != NULL) {
        return wrong;
    }
    if (rest.length > 0) {
        return say("%zu bytes follow", rest.length);
    }
    return transcript_closed(transcript) == ask->close ? NULL : "the connection's end is wrong";
}

const char *ask_judge(struct harness *harness, const struct ask *ask)
{
    char *bytes = NULL;
    struct script script = {.input = ask_bytes(ask, &bytes)};
    struct transcript transcript;
    transcript_run(harness, &script, &transcript);
    const char *wrong = judge(ask, &transcript);
    transcript_free(&transcript);
    free(bytes);
    return wrong;
}
