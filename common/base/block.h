/* SPDX-License-Identifier: MIT */
/* Sixteen bytes looked at together, for what runs over every byte of every request. Comparisons are the compiler's vector
 * extension: `block < '!'` has all bits set in each byte for which it is true. */
#ifndef ECHOD_COMMON_BASE_BLOCK_H
#define ECHOD_COMMON_BASE_BLOCK_H

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { BLOCK_SIZE = 16 };

/* Signed, as the instructions compare: bytes from 0x80 are below all others. */
typedef signed char block_bytes __attribute__((vector_size(BLOCK_SIZE)));

/* From anywhere; all of it can be read. */
static inline block_bytes block_load(const char *from)
{
    block_bytes block;
    memcpy(&block, from, sizeof block);
    return block;
}

/* A bit for each byte, the first the lowest. */
static inline unsigned block_mask(block_bytes truths)
{
#ifdef __SSE2__
    return (unsigned)_mm_movemask_epi8((__m128i)truths);
#else
    unsigned mask = 0;
    for (unsigned i = 0; i < BLOCK_SIZE; i++) {
        mask |= (unsigned)(truths[i] & 1) << i;
    }
    return mask;
#endif
}

/* How many bytes from the first on are marked; at most BLOCK_SIZE. */
static inline unsigned block_run(unsigned mask)
{
    return (unsigned)__builtin_ctz(~mask);
}

#endif
