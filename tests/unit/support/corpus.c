/* SPDX-License-Identifier: MIT */
/* A line at a time; what a line is shows in its first character. */
#include "tests/unit/support/corpus.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

struct text {
    char *data;
    size_t length;
    size_t capacity;
};

static void text_append(struct text *text, const char *data, size_t length)
{
    if (text->capacity - text->length < length) {
        text->capacity = (text->length + length) * 2 + 64;
        text->data = realloc(text->data, text->capacity);
        if (text->data == NULL) {
            abort();
        }
    }
    memcpy(text->data + text->length, data, length);
    text->length += length;
}

/* One escape behind a backslash; how many characters it takes, 0 if it is none. */
static size_t escape_read(const char *p, char *out)
{
    switch (*p) {
    case 'r': *out = '\r'; return 1;
    case 'n': *out = '\n'; return 1;
    case 't': *out = '\t'; return 1;
    case '0': *out = '\0'; return 1;
    case '\\': *out = '\\'; return 1;
    case 'x':
        if (isxdigit((unsigned char)p[1]) && isxdigit((unsigned char)p[2])) {
            char digits[3] = {p[1], p[2], '\0'};
            *out = (char)strtoul(digits, NULL, 16);
            return 3;
        }
        return 0;
    default: return 0;
    }
}

/* Appends what the line stands for; false for an escape that is none. */
static bool unescape(struct text *out, const char *line, const char *end, struct corpus_case *runs_of)
{
    while (line < end) {
        char c;
        size_t taken;
        if (*line != '\\') {
            text_append(out, line++, 1);
        } else if (line[1] == '{') {
            char *text = NULL;
            size_t count = strtoul(line + 2, &text, 10);
            const char *close = memchr(line, '}', (size_t)(end - line));
            struct text unit = {0};
            if (close == NULL || *text != ' ' || !unescape(&unit, text + 1, close, NULL)) {
                free(unit.data);
                return false;
            }
            struct corpus_run run = {.begin = out->length, .end = out->length + count * unit.length};
            for (size_t i = 0; i < count; i++) {
                text_append(out, unit.data, unit.length);
            }
            free(unit.data);
            if (runs_of != NULL && run.end - run.begin > 300 && runs_of->run_count < CORPUS_RUNS_MAX) {
                runs_of->runs[runs_of->run_count++] = run;
            }
            line = close + 1;
        } else if ((taken = escape_read(line + 1, &c)) > 0) {
            text_append(out, &c, 1);
            line += 1 + taken;
        } else {
            return false;
        }
    }
    return true;
}

static bool span_extend(struct span *span, const char *line, const char *end, struct corpus_case *runs_of)
{
    struct text text = {.data = (char *)span->data, .length = span->length, .capacity = span->length};
    bool good = unescape(&text, line, end, runs_of);
    *span = (struct span){.data = text.data, .length = text.length};
    return good;
}

/* "> 200", "> 200 head", "> 200 cut": the next answer; else "> Name: value" or "> !Name" of the present one. */
static bool expectation_read(struct corpus_case *c, char *line)
{
    if (isdigit((unsigned char)line[0])) {
        if (c->answer_count == CORPUS_ANSWERS_MAX) {
            return false;
        }
        struct corpus_answer *answer = &c->answers[c->answer_count++];
        char *rest = NULL;
        answer->status = (unsigned)strtoul(line, &rest, 10);
        answer->to_head = strcmp(rest, " head") == 0;
        answer->cut = strcmp(rest, " cut") == 0;
        return *rest == '\0' || answer->to_head || answer->cut;
    }
    if (c->answer_count == 0 || c->answers[c->answer_count - 1].field_count == CORPUS_FIELDS_MAX) {
        return false;
    }
    struct corpus_answer *answer = &c->answers[c->answer_count - 1];
    struct corpus_field *field = &answer->fields[answer->field_count++];
    char *colon = strstr(line, ": ");
    if (line[0] == '!') {
        field->name = strdup(line + 1);
        return true;
    }
    field->name = strndup(line, colon == NULL ? 0 : (size_t)(colon - line));
    field->value = strdup(colon == NULL ? "" : colon + 2);
    return colon != NULL;
}

static bool outcome_read(struct corpus_case *c, const char *line)
{
    c->eof = strncmp(line, "eof ", 4) == 0;
    c->abort = strcmp(line, "abort") == 0;
    c->close = c->abort || strcmp(c->eof ? line + 4 : line, "close") == 0;
    return c->close || strcmp(line, "open") == 0;
}

static bool line_read(struct corpus *corpus, char *line, size_t length, unsigned number)
{
    struct corpus_case *c = corpus->count == 0 ? NULL : &corpus->cases[corpus->count - 1];
    bool for_readers = line[0] == '#' ? line[1] != '#' : line[0] == '@' || line[0] == '~';
    if (length == 0 || for_readers) {
        return true;
    }
    if (strncmp(line, "## ", 3) == 0) {
        corpus->cases = realloc(corpus->cases, (corpus->count + 1) * sizeof *corpus->cases);
        if (corpus->cases == NULL) {
            abort();
        }
        corpus->cases[corpus->count++] = (struct corpus_case){.title = strdup(line + 3), .line = number};
        return true;
    }
    if (c == NULL) {
        return false;
    }
    switch (line[0]) {
    case '>': return line[1] == ' ' && expectation_read(c, line + 2);
    case '=': return line[1] == ' ' && outcome_read(c, line + 2);
    case '|':
        if (c->answer_count == 0) {
            return false;
        }
        c->answers[c->answer_count - 1].body_given = true;
        return span_extend(&c->answers[c->answer_count - 1].body, line + 1, line + length, NULL);
    default: return span_extend(&c->input, line, line + length, c);
    }
}

void corpus_read(struct corpus *corpus, const char *path)
{
    *corpus = (struct corpus){.count = 0};
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        snprintf(corpus->problem, sizeof corpus->problem, "%s cannot be opened from here", path);
        return;
    }
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    for (unsigned number = 1; (length = getline(&line, &size, file)) > 0; number++) {
        if (line[length - 1] == '\n') {
            line[--length] = '\0';
        }
        if (!line_read(corpus, line, (size_t)length, number) && corpus->problem[0] == '\0') {
            snprintf(corpus->problem, sizeof corpus->problem, "%s:%u is not in the notation", path, number);
        }
    }
    free(line);
    fclose(file);
}

void corpus_free(struct corpus *corpus)
{
    for (size_t i = 0; i < corpus->count; i++) {
        struct corpus_case *c = &corpus->cases[i];
        free(c->title);
        free((char *)c->input.data);
        for (size_t j = 0; j < c->answer_count; j++) {
            free((char *)c->answers[j].body.data);
            for (size_t k = 0; k < c->answers[j].field_count; k++) {
                free(c->answers[j].fields[k].name);
                free(c->answers[j].fields[k].value);
            }
        }
    }
    free(corpus->cases);
}
