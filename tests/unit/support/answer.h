/* SPDX-License-Identifier: MIT */
/* Reads answers as a client does, one after the other, and says what is wrong with them. */
#ifndef ECHOD_TESTS_UNIT_SUPPORT_ANSWER_H
#define ECHOD_TESTS_UNIT_SUPPORT_ANSWER_H

#include "common/base/span.h"

struct answer {
    unsigned status;
    struct span reason;
    struct span fields; /* lines that each end in CRLF */
    struct span body;   /* as on the wire: chunked ones with their framing */
    bool complete;      /* false: the bytes end before the body does */
};

/* Takes the first answer off `*bytes`. `to_head` says that it answers a HEAD request. NULL, or what is wrong; static. */
const char *answer_next(struct span *bytes, bool to_head, struct answer *answer);
/* How many lines of that name there are; `*value` is set to the last one's. */
size_t answer_field(const struct answer *answer, const char *name, struct span *value);
/* Whether there is one such field, with that value. */
bool answer_has(const struct answer *answer, const char *name, const char *value);
/* Whether the bytes contain the text. */
bool span_contains(struct span bytes, const char *text);

#endif
