/* SPDX-License-Identifier: MIT */
/* Lists of faults with shares: the first byte is the kind, the next two are the draw. A list that is allowed is so for
 * every draw, and its values are within their bounds. */
#include <stdlib.h>

#include "common/http/fault.h"
#include "common/http/status.h"
#include "tests/fuzz/fuzz.h"

enum { DELAY_MAX_MS = 10000 };

static void check(enum fault_kind kind, const struct fault *fault)
{
    uint8_t bit = fault_bit(kind, fault);
    FUZZ_CHECK((bit & (bit - 1)) == 0 && (bit & ~fault_bits(kind)) == 0);
    FUZZ_CHECK(kind == FAULT_ABORT || fault->abort == ABORT_NOT);
    FUZZ_CHECK(fault->abort < ABORT_KINDS);
    FUZZ_CHECK(kind != FAULT_ABORT || fault->abort == ABORT_BODY || fault->value == 0);
    FUZZ_CHECK(kind != FAULT_STATUS || fault->value == 0 ||
               (fault->value >= STATUS_MIN && fault->value <= STATUS_MAX));
    FUZZ_CHECK(kind != FAULT_DELAY || fault->value <= DELAY_MAX_MS);
    FUZZ_CHECK(kind != FAULT_CLOSE || fault->value <= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3) {
        return 0;
    }
    enum fault_kind kind = (enum fault_kind)(data[0] % FAULT_KINDS);
    uint32_t draw = (uint32_t)(data[1] << 8 | data[2]) % FAULT_WHOLE;
    char *text = fuzz_copy(data + 3, size - 3);
    struct span list = {.data = text, .length = size - 3};
    struct fault fault;
    int error = fault_read(kind, list, DELAY_MAX_MS, draw, &fault);
    if (error == 0) {
        check(kind, &fault);
    }
    static const uint32_t draws[] = {0, FAULT_WHOLE / 2, FAULT_WHOLE - 1};
    for (size_t i = 0; i < sizeof draws / sizeof draws[0]; i++) {
        FUZZ_CHECK(fault_read(kind, list, DELAY_MAX_MS, draws[i], &fault) == error);
    }
    free(text);
    return 0;
}
