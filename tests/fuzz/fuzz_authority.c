/* SPDX-License-Identifier: MIT */
/* Host and authority: what the fast reading passes over is valid, and nothing valid has a byte that a URL could not. */
#include <stdlib.h>

#include "common/http/authority.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (text == NULL) {
        abort();
    }
    memcpy(text, size > 0 ? (const char *)data : "", size);
    text[size] = '\r';
    const char *end = authority_skip_plain(text, text + size + 1);
    FUZZ_CHECK(end >= text && end <= text + size);
    FUZZ_CHECK(end == text || authority_valid(span_between(text, end)), ": %.*s", (int)(end - text), text);

    char *exact = fuzz_copy(data, size);
    if (authority_valid((struct span){.data = exact, .length = size})) {
        FUZZ_CHECK(authority_bad_byte((struct span){.data = exact, .length = size}) == NULL);
        for (size_t i = 0; i < size; i++) {
            FUZZ_CHECK(exact[i] > ' ' && exact[i] < 0x7f && strchr("/\\?#@<>\"{}|^`", exact[i]) == NULL);
        }
    }
    free(exact);
    free(text);
    return 0;
}
