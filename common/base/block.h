/* SPDX-License-Identifier: MIT */
/* Sixteen bytes examined at once, for the loops that run over every byte of a request. Comparisons are the compiler's
 * vector extension: `block < '!'` sets all bits of each byte for which the comparison is true. Any thread. */
#ifndef ECHOD_COMMON_BASE_BLOCK_H
#define ECHOD_COMMON_BASE_BLOCK_H

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { BLOCK_SIZE = 16 };

/* Signed, like the comparison instructions: the bytes from 0x80 to 0xff are less than all others. */
typedef signed char block_bytes __attribute__((vector_size(BLOCK_SIZE)));

/* Returns the BLOCK_SIZE bytes at `from`, which needs no alignment. All of them must be readable. */
static inline block_bytes block_load(const char *from)
{
    block_bytes block;
    memcpy(&block, from, sizeof block);
    return block;
}

/* Returns one bit for each byte of a comparison's result; the lowest bit is that of the first byte. */
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

/* Returns how many bits of `mask` are set without a gap, from the lowest bit on: 0 to BLOCK_SIZE. */
static inline unsigned block_run(unsigned mask)
{
    return (unsigned)__builtin_ctz(~mask);
}

#endif
