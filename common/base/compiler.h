/* SPDX-License-Identifier: MIT */
/* Tells the compiler which code is on the path of every request. Without this it saves registers on that path for calls
 * that are rarely made. */
#ifndef ECHOD_COMMON_BASE_COMPILER_H
#define ECHOD_COMMON_BASE_COMPILER_H

/* For a step on the path of every request that has few callers: the call is always inlined. */
#define ALWAYS_INLINE inline __attribute__((always_inline))
#define NOINLINE      __attribute__((noinline))
/* For code off the path of a plain request (bodies, errors, heads that arrive in pieces): compiled for size. */
#define COLD                __attribute__((cold, noinline))

#define likely(condition)   __builtin_expect((condition), 1)
#define unlikely(condition) __builtin_expect((condition), 0)

#endif
