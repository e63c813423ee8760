/* SPDX-License-Identifier: MIT */
/* Which sanitizer the build has, by the names of GCC and of Clang: a sanitizer must be told of fibers. */
#ifndef ECHOD_SERVER_DRIVERS_FIBER_SANITIZER_H
#define ECHOD_SERVER_DRIVERS_FIBER_SANITIZER_H

#ifndef __has_feature
#define __has_feature(name) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define SANITIZER_ADDRESS 1
#else
#define SANITIZER_ADDRESS 0
#endif

#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define SANITIZER_THREAD 1
#else
#define SANITIZER_THREAD 0
#endif

#endif
