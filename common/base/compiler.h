/* SPDX-License-Identifier: MIT */
/* What is on the way of every request, and what is not: said to the compiler, which otherwise saves registers on the one
 * for the sake of the other. */
#ifndef ECHOD_COMMON_BASE_COMPILER_H
#define ECHOD_COMMON_BASE_COMPILER_H

/* A step of the way that has one caller, or few: no call of its own. */
#define HOT static inline __attribute__((always_inline))
/* Off the way of a plain request: bodies, errors, heads that come in pieces, what is unusual. Compiled for size. */
#define COLD               __attribute__((cold, noinline))

#define USUAL(condition)   __builtin_expect((condition), 1)
#define UNUSUAL(condition) __builtin_expect((condition), 0)

#endif
