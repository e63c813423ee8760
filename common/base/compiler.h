/* SPDX-License-Identifier: MIT */
/* Tells the compiler what is on the path of every request and what is not. Otherwise it saves registers on the one path for
 * the sake of the other. */
#ifndef ECHOD_COMMON_BASE_COMPILER_H
#define ECHOD_COMMON_BASE_COMPILER_H

/* A step on the path of every request, with one caller or few: no call of its own. */
#define ALWAYS_INLINE inline __attribute__((always_inline))
#define NOINLINE      __attribute__((noinline))
/* Off the path of a plain request: bodies, errors, heads that come in pieces. Compiled for size. */
#define COLD                __attribute__((cold, noinline))

#define likely(condition)   __builtin_expect((condition), 1)
#define unlikely(condition) __builtin_expect((condition), 0)

#endif
