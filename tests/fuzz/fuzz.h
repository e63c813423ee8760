/* SPDX-License-Identifier: MIT */
/* What the fuzz targets share. A target is a file fuzz_NAME.c with one function, LLVMFuzzerTestOneInput; it is linked with
 * libFuzzer (preset fuzz), and with replay.c, which runs the committed inputs in the unit tests. */
#ifndef ECHOD_TESTS_FUZZ_FUZZ_H
#define ECHOD_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/span.h"

/* 0: always. Called once for each input. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A rule that was broken: ends the program with the sentence, so that the input is kept. */
#define FUZZ_CHECK(holds, ...)                                      \
    do {                                                            \
        if (!(holds)) {                                             \
            fuzz_fail(__FILE__, __LINE__, #holds, " " __VA_ARGS__); \
        }                                                           \
    } while (0)

_Noreturn void fuzz_fail(const char *file, int line, const char *rule, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* A copy in a block of exactly its size, so that a byte read past its end is seen. Freed by the caller. */
char *fuzz_copy(const uint8_t *data, size_t size);

/* Whether `part` lies within `whole`; an empty one may be anywhere. */
bool fuzz_within(struct span part, struct span whole);

#endif
