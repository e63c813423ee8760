/* SPDX-License-Identifier: MIT */
/* Requests with the answers they must get, read from text files; corpus/README.md says how they are written. */
#ifndef ECHOD_TESTS_UNIT_SUPPORT_CORPUS_H
#define ECHOD_TESTS_UNIT_SUPPORT_CORPUS_H

#include "common/base/span.h"

enum {
    CORPUS_ANSWERS_MAX = 24,
    CORPUS_FIELDS_MAX = 8,
    CORPUS_RUNS_MAX = 24,
};

/* The files of tests/unit/corpus, without .http: F(name) for each. */
/* clang-format off */
#define CORPUS_FILES(F) \
    F(request_line) F(host) F(fields) F(framing) F(chunked) F(paths) F(echo) F(expect) F(connection) F(work) F(limits) \
    F(cut_off) F(large) F(faults)
/* clang-format on */

struct corpus_field {
    char *name;
    char *value; /* NULL: there must be no such field */
};

struct corpus_answer {
    unsigned status;
    bool to_head; /* no body, whatever its fields say */
    bool cut;     /* its body ends short */
    bool body_given;
    struct span body;
    struct corpus_field fields[CORPUS_FIELDS_MAX];
    size_t field_count;
};

/* Bytes of the input that a repetition made. */
struct corpus_run {
    size_t begin;
    size_t end;
};

struct corpus_case {
    char *title;
    unsigned line;
    struct span input;
    struct corpus_answer answers[CORPUS_ANSWERS_MAX];
    size_t answer_count;
    struct corpus_run runs[CORPUS_RUNS_MAX];
    size_t run_count;
    bool eof;   /* the client ends its sending side behind the input */
    bool close; /* the server closes */
    bool abort; /* and does not say so before */
};

struct corpus {
    struct corpus_case *cases;
    size_t count;
    char problem[160]; /* empty if the file could be read */
};

void corpus_read(struct corpus *corpus, const char *path);
void corpus_free(struct corpus *corpus);

#endif
