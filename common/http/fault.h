/* SPDX-License-Identifier: MIT */
/* The faults that /echo carries out on request: lists of values with shares, such as "503:20,500:5", and the draw that
 * decides between them. Any thread. */
#ifndef ECHOD_COMMON_HTTP_FAULT_H
#define ECHOD_COMMON_HTTP_FAULT_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/span.h"

/* What a list is about. Each kind has its own parameter and its own draw. */
enum fault_kind { FAULT_STATUS, FAULT_DELAY, FAULT_CLOSE, FAULT_ABORT, FAULT_KINDS };

/* How an answer goes wrong below HTTP. */
enum abort {
    ABORT_NOT,
    ABORT_BEFORE,  /* the connection is closed without an answer */
    ABORT_RESET,   /* the connection is reset without an answer */
    ABORT_BODY,    /* the connection is closed after some bytes of the body */
    ABORT_STALL,   /* nothing follows the head */
    ABORT_GARBAGE, /* bytes that are no HTTP, then the connection is closed */
    ABORT_KINDS,
};

/* The faults that are counted and logged, each with a bit in a set: status, delay, close, and each kind of abort. */
enum { FAULT_NAMES = FAULT_ABORT + ABORT_KINDS - 1 };
extern const char *const fault_names[FAULT_NAMES];

/* What a list says about one request: the value drawn; all zero if the request is answered as without the list. */
struct fault {
    uint64_t
        value; /* a status; a delay in ms; 1: close; with ABORT_BODY: how many bytes of the body are sent */
    enum abort abort; /* of FAULT_ABORT */
};

/* A draw is below this number: the hundredths of a per cent in 100 %. */
enum { FAULT_WHOLE = 10000 };

/* Returns the draw for a request: a hash of its arguments, so that it needs no state. `seed` is the server's,
 * `connection` and `request` are the numbers of the connection and of the request on it. */
uint32_t fault_draw(uint64_t seed, uint64_t connection, uint32_t request, enum fault_kind kind);

/* Reads a list and sets `*fault` to what it says for this draw. A list is VALUE or VALUE:SHARE, several with commas
 * between them; SHARE is in per cent, 0 to 100 with at most two decimals, and 100 if it is missing. Delays are at most
 * `max_delay_ms`. Returns 0, or -EINVAL if the list has another form, a value is not allowed, or the sum of the shares
 * exceeds 100 %; `*fault` is then undefined. */
int fault_read(enum fault_kind kind, struct span list, uint64_t max_delay_ms, uint32_t draw,
               struct fault *fault);

/* Returns the bit of a fault of this kind; 0 if nothing goes wrong: no value was drawn, or the status 200, no delay,
 * no close. */
uint8_t fault_bit(enum fault_kind kind, const struct fault *fault);
/* Returns the bits that faults of this kind may have. */
uint8_t fault_bits(enum fault_kind kind);

/* Writes what fault_read allows, such as "a number from 200 to 599, or a list with shares as in 503:20,500:5", to
 * `out`, cut at `size` bytes with its NUL. */
void fault_allowed(enum fault_kind kind, uint64_t max_delay_ms, char *out, size_t size);
enum { FAULT_ALLOWED_SIZE = 112 };

#endif
