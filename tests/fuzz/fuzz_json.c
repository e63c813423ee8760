/* SPDX-License-Identifier: MIT */
/* JSON strings made of any bytes: printable, no markup, and well-formed. */
#include <stdlib.h>

#include "common/base/json.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/support/transcript.h"

static struct harness harness;

static void check_string(struct span text)
{
    FUZZ_CHECK(text.length >= 2 && text.data[0] == '"' && text.data[text.length - 1] == '"');
    FUZZ_CHECK(json_utf8_valid(text));
    for (size_t i = 1; i + 1 < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];
        FUZZ_CHECK(c >= ' ' && c != 0x7f && strchr("<>&\"", c) == NULL);
        FUZZ_CHECK(c != 0xc2 || (unsigned char)text.data[i + 1] > 0x9f, ": a control character of C1");
        if (c == '\\') {
            FUZZ_CHECK(strchr("\"\\/bfnrtu", text.data[i + 1]) != NULL);
            i++;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (harness.scoreboard == NULL) {
        harness_init(&harness, 16 << 20);
    }
    char *bytes = fuzz_copy(data, size);
    struct span span = {.data = bytes, .length = size};
    struct json json = {.budget = harness.contexts[0].output.budget};
    json_string(&json, span);
    if (!json.failed) {
        check_string(buffer_span(json.text));
    }
    buffer_free(&json.text, json.budget);
    json = (struct json){.budget = harness.contexts[0].output.budget};
    json_base64(&json, span);
    FUZZ_CHECK(json.failed || buffer_length(json.text) == (size + 2) / 3 * 4 + 2);
    buffer_free(&json.text, json.budget);
    FUZZ_CHECK(harness_held(&harness) == 0);
    free(bytes);
    return 0;
}
