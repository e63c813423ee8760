/* SPDX-License-Identifier: MIT */
/* swarm's reading of answers: whatever the pieces, the same verdict. FLAGS, SIZE of the pieces, then the answer. */
#include <stdlib.h>

#include "loadtest/swarm/http/response.h"
#include "tests/fuzz/fuzz.h"

static const struct response_expectation hello = {.body = "Hello, World!", .length = 13, .has_length = true};

static enum response_progress read_all(struct response *response, const uint8_t *data, size_t size,
                                       size_t piece, size_t *used)
{
    enum response_progress progress = RESPONSE_MORE;
    *used = 0;
    while (progress == RESPONSE_MORE && *used < size) {
        size_t length = size - *used < piece ? size - *used : piece;
        size_t taken = 0;
        char *block = fuzz_copy(data + *used, length);
        progress = response_feed(response, block, length, &taken);
        free(block);
        FUZZ_CHECK(taken <= length && (progress != RESPONSE_MORE || taken == length));
        *used += taken;
    }
    return progress == RESPONSE_MORE ? response_end(response) : progress;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    const struct response_expectation *expectation = (data[0] & 1) != 0 ? &hello : NULL;
    struct response whole;
    struct response split;
    size_t whole_used = 0;
    size_t split_used = 0;
    response_begin(&whole, expectation, (data[0] & 2) != 0);
    response_begin(&split, expectation, (data[0] & 2) != 0);
    enum response_progress progress = read_all(&whole, data + 2, size - 2, SIZE_MAX, &whole_used);
    FUZZ_CHECK(read_all(&split, data + 2, size - 2, 1 + data[1] % 64, &split_used) == progress);
    FUZZ_CHECK(progress != RESPONSE_MORE);
    if (progress == RESPONSE_BAD) {
        FUZZ_CHECK(response_error(&whole) != NULL && response_error(&split) != NULL);
        return 0;
    }
    FUZZ_CHECK(whole_used == split_used && whole.status == split.status);
    FUZZ_CHECK(whole.body_length == split.body_length && whole.keep_alive == split.keep_alive);
    FUZZ_CHECK(response_body_right(&whole) == response_body_right(&split));
    FUZZ_CHECK(whole.body_length <= size);
    return 0;
}
