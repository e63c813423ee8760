/* SPDX-License-Identifier: MIT */
/* Query strings: taken apart and decoded. */
#include <stdlib.h>

#include "common/http/query.h"
#include "tests/fuzz/fuzz.h"

static void check_decoded(struct span value)
{
    char *out = malloc(value.length + 1);
    if (out == NULL) {
        abort();
    }
    size_t escapes = 0;
    for (size_t i = 0; i < value.length; i++) {
        escapes += value.data[i] == '%';
    }
    ssize_t length = query_decode(value, out);
    FUZZ_CHECK(length < 0 || (size_t)length + 2 * escapes == value.length || escapes > 0);
    FUZZ_CHECK(length >= 0 || escapes > 0);
    FUZZ_CHECK(length < 0 || escapes > 0 || memcmp(out, value.data, value.length) == 0);
    FUZZ_CHECK(length < 0 || (size_t)length <= value.length);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_copy(data, size);
    struct span whole = {.data = text, .length = size};
    struct span query = whole;
    struct parameter parameter;
    size_t seen = 0;
    while (query_next(&query, &parameter)) {
        FUZZ_CHECK(parameter.name.length + parameter.value.length > 0 || size > 0);
        FUZZ_CHECK(fuzz_within(parameter.name, whole) && fuzz_within(parameter.value, whole));
        FUZZ_CHECK(memchr(parameter.name.data, '&', parameter.name.length) == NULL &&
                   memchr(parameter.value.data, '&', parameter.value.length) == NULL);
        FUZZ_CHECK(memchr(parameter.name.data, '=', parameter.name.length) == NULL);
        FUZZ_CHECK(++seen <= size);
        check_decoded(parameter.name);
        check_decoded(parameter.value);
    }
    free(text);
    return 0;
}
