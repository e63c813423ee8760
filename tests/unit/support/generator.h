/* SPDX-License-Identifier: MIT */
/* Random valid requests, pipelined, with what each must be answered: a model written apart from the server. */
#ifndef ECHOD_TESTS_UNIT_SUPPORT_GENERATOR_H
#define ECHOD_TESTS_UNIT_SUPPORT_GENERATOR_H

#include "common/base/span.h"

enum { GENERATED_REQUESTS_MAX = 12 };

/* The same sequence for the same seed, on every machine. */
struct chance {
    uint64_t state;
};

uint64_t chance_next(struct chance *chance);
/* From 0 to limit - 1. */
size_t chance_below(struct chance *chance, size_t limit);
/* True once in so many. */
bool chance_once_in(struct chance *chance, size_t many);

struct generated_answer {
    unsigned status;
    bool interim; /* a 100 comes before it */
    bool to_head;
    bool chunked;  /* so is the answer */
    bool has_body; /* of these bytes, chunks taken apart; else not looked at */
    char *body;
    size_t length;
};

/* What a client sends on one connection. */
struct generated {
    char *bytes;
    size_t length;
    size_t capacity;
    struct generated_answer answers[GENERATED_REQUESTS_MAX];
    size_t count;
    bool close; /* the last request closes the connection */
};

void generated_init(struct generated *generated, struct chance *chance);
void generated_deinit(struct generated *generated);

#endif
