/* SPDX-License-Identifier: MIT */
/* One request and what its answer must be, as a row of a table. Needs no test framework. */
#ifndef ECHOD_TESTS_UNIT_SUPPORT_ASK_H
#define ECHOD_TESTS_UNIT_SUPPORT_ASK_H

#include "tests/unit/support/answer.h"
#include "tests/unit/support/transcript.h"

enum {
    ASK_FIELDS_MAX = 4,
    ASK_HELD_LIMIT = 16 * 1024 * 1024,
};

/* What is left out is not looked at. */
struct ask {
    const char *line;                   /* "GET /bytes/3": " HTTP/1.1" and a Host field are added */
    const char *sent;                   /* further field lines, each with its CRLF */
    const char *body;                   /* sent with a Content-Length */
    unsigned status;                    /* of the answer */
    const char *fields[ASK_FIELDS_MAX]; /* "Name: value": has it, once; "!Name": has none */
    const char *answer;                 /* its body */
    const char *within;                 /* a part of its body */
    bool close; /* the server closes the connection; it never does so if this is false */
};

/* Asks on a new connection. NULL, or what is wrong with the answer; valid until the next call. */
const char *ask_judge(struct harness *harness, const struct ask *ask);

/* Asks all rows of an array, inside a Criterion test; `with` is a harness. */
#define ASK_ALL_OF(with, rows)                                                                            \
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows)[0]; row++) {                                   \
        const char *wrong = ask_judge((with), &(rows)[row]);                                              \
        cr_expect(wrong == NULL, "%s %s: %s", (rows)[row].line, (rows)[row].sent ? (rows)[row].sent : "", \
                  wrong);                                                                                 \
    }

/* The same with a server of its own. */
#define ASK_ALL(rows)                         \
    do {                                      \
        struct harness asked;                 \
        harness_init(&asked, ASK_HELD_LIMIT); \
        ASK_ALL_OF(&asked, rows)              \
        harness_deinit(&asked);               \
    } while (0)

#endif
