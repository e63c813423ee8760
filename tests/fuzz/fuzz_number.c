/* SPDX-License-Identifier: MIT */
/* Numbers, sizes and durations: the first eight bytes are the limit, the others the text. */
#include <errno.h>
#include <stdlib.h>

#include "common/base/number.h"
#include "tests/fuzz/fuzz.h"

typedef int parse_function(const char *text, size_t length, uint64_t max, uint64_t *value);

static void check_parse(parse_function *parse, const char *text, size_t length, uint64_t max)
{
    static const uint64_t untouched = 0x5A5A5A5A5A5A5A5Au;
    uint64_t value = untouched;
    uint64_t free_value = untouched;
    int error = parse(text, length, max, &value);
    int free_error = parse(text, length, UINT64_MAX, &free_value);
    FUZZ_CHECK(error == 0 || error == -EINVAL || error == -ERANGE);
    FUZZ_CHECK(error == 0 ? value <= max && value == free_value : value == untouched);
    FUZZ_CHECK((error == -EINVAL) == (free_error == -EINVAL), ": form is judged before size");
    FUZZ_CHECK(error != -ERANGE || free_error == -ERANGE || free_value > max);
}

static void check_written(uint64_t value)
{
    char out[NUMBER_U64_SIZE];
    uint64_t read;
    size_t length = number_format_u64(out, value);
    FUZZ_CHECK(length >= 1 && length <= NUMBER_U64_SIZE);
    FUZZ_CHECK(number_parse_u64(out, length, UINT64_MAX, &read) == 0 && read == value);
    char hex[NUMBER_HEX_SIZE + 1];
    length = number_format_hex(hex, value);
    FUZZ_CHECK(length >= 1 && length <= NUMBER_HEX_SIZE);
    hex[length] = '\0';
    FUZZ_CHECK(strtoull(hex, NULL, 16) == value && (hex[0] != '0' || length == 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t max = 0;
    if (size < sizeof max) {
        return 0;
    }
    memcpy(&max, data, sizeof max);
    size_t length = size - sizeof max;
    char *text = fuzz_copy(data + sizeof max, length);
    check_parse(number_parse_u64, text, length, max);
    check_parse(number_parse_size, text, length, max);
    check_parse(number_parse_duration_ms, text, length, max);
    check_written(max);
    free(text);
    return 0;
}
