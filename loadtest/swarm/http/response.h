/* SPDX-License-Identifier: MIT */
/* Reads one answer from bytes that come in any pieces, and compares its body with what it must be. No I/O, no memory of
 * its own: whatever the bytes are, they cost no more than this struct. */
#ifndef ECHOD_LOADTEST_SWARM_HTTP_RESPONSE_H
#define ECHOD_LOADTEST_SWARM_HTTP_RESPONSE_H

#include <llhttp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the body must be. It outlives the responses that point to it. */
struct response_expectation {
    const char *body; /* NULL: any bytes; else `length` of them, and has_length is set */
    uint64_t length;
    bool has_length;
};

enum response_progress {
    RESPONSE_MORE, /* not at its end yet */
    RESPONSE_DONE, /* whole */
    RESPONSE_BAD   /* not HTTP, or cut off: response_error() says how */
};

/* The members are for reading once it is whole. */
struct response {
    llhttp_t parser;
    const struct response_expectation *expectation;
    uint64_t body_length;
    const char *error;
    uint16_t status;
    bool to_head;    /* answers a HEAD: no body follows (RFC 9112, 6.3) */
    bool differs;    /* a byte of the body is not the expected one */
    bool keep_alive; /* the connection may be used again (RFC 9112, 9.3) */
    bool whole;
};

/* Begins a response; also another one with the same struct. `expectation` may be NULL: any body. */
void response_begin(struct response *response, const struct response_expectation *expectation, bool to_head);

/*
 * Reads bytes. Skips interim answers (1xx), but 101 is bad, because the client has not asked for it. On RESPONSE_DONE
 * `*used` is the number of bytes that belong to this answer; the client has not asked for any bytes after them. After
 * RESPONSE_DONE or RESPONSE_BAD the function reads no more bytes.
 */
enum response_progress response_feed(struct response *response, const char *bytes, size_t length,
                                     size_t *used);

/* The peer sends no more: DONE if the body had no other end, else BAD. */
enum response_progress response_end(struct response *response);

/* Whether the body was the expected one. */
bool response_body_right(const struct response *response);

/* What was wrong with it, after RESPONSE_BAD: a static text. */
const char *response_error(const struct response *response);

#endif
