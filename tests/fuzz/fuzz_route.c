/* SPDX-License-Identifier: MIT */
/* Paths with their queries: METHOD, then the target, then behind a line feed the header section. Every handler reads its
 * parameters; its answer's head is one that cannot be split. */
#include <stdlib.h>

#include "common/session/route.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/support/answer.h"
#include "tests/unit/support/transcript.h"

static struct harness harness;
static struct peer peer = {.family = 2, .address = {192, 0, 2, 1}, .port = 1234};

static void check_head(const struct response *response, const struct request *request)
{
    struct context *context = &harness.contexts[0];
    struct buffer *kept = NULL;
    output_open(&context->output, &kept, 0);
    response_write_head(&context->output, response, request, HARNESS_DATE);
    output_commit(&context->output);
    struct span head = output_unsent(&context->output);
    const char *empty_line = memmem(head.data, head.length, "\r\n\r\n", 4);
    FUZZ_CHECK(empty_line == head.data + head.length - 4, ": a head within a head:\n%.*s", (int)head.length,
               head.data);
    struct answer answer;
    struct span rest = head;
    const char *wrong = answer_next(&rest, true, &answer);
    FUZZ_CHECK(wrong == NULL, ": %s:\n%.*s", wrong, (int)head.length, head.data);
    output_sent(&context->output, head.length);
}

static void route(struct request *request)
{
    struct response response;
    response_init(&response, harness.contexts[0].output.budget);
    const struct handler *handler = route_find(request, &response);
    FUZZ_CHECK(handler != NULL || response.problem);
    if (handler != NULL) {
        handler->begin(request, &response);
    }
    FUZZ_CHECK(response.status >= 200 && response.status <= 599);
    FUZZ_CHECK(response.wait_ms <= 10000 && response.pace_ms <= 10000);
    FUZZ_CHECK(response.work.run == NULL || response.work.input <= 1000000000);
    FUZZ_CHECK(response.body != CONTENT_PRODUCED || response.length <= (uint64_t)1 << 30);
    if (!response.failed) {
        check_head(&response, request);
    }
    response_deinit(&response);
    FUZZ_CHECK(harness_held(&harness) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (harness.scoreboard == NULL) {
        harness_init(&harness, 1 << 20);
    }
    if (size < 2) {
        return 0;
    }
    static const uint8_t methods[] = {HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_OPTIONS, HTTP_PUT};
    char *text = fuzz_copy(data + 1, size - 1);
    const char *end = text + size - 1;
    const char *line = memchr(text, '\n', size - 1);
    const char *target_end = line == NULL ? end : line;
    const char *mark = memchr(text, '?', (size_t)(target_end - text));
    struct request request = {
        .method = methods[data[0] % sizeof methods],
        .minor_version = 1,
        .target = span_between(text, target_end),
        .path = span_between(text, mark == NULL ? target_end : mark),
        .query = mark == NULL ? SPAN_LITERAL("") : span_between(mark + 1, target_end),
        .fields = SPAN_LITERAL(""),
        .host = SPAN_LITERAL("h"),
        .content_type = SPAN_LITERAL(""),
        .parameter = SPAN_LITERAL(""),
        .keep_alive = true,
        .service = &harness.service,
        .peer = &peer,
    };
    /* One field of a value that llhttp would let pass. */
    char *field = NULL;
    if (line != NULL && end - line > 1) {
        size_t length = (size_t)(end - line - 1);
        field = malloc(length + 2);
        if (field == NULL) {
            abort();
        }
        for (size_t i = 0; i < length; i++) {
            unsigned char c = (unsigned char)line[1 + i];
            field[i] = (char)(c < ' ' || c == 0x7f ? ' ' : c);
        }
        memcpy(field + length, "\r\n", 2);
        request.fields = (struct span){.data = field, .length = memchr(field, ':', length) ? length + 2 : 0};
    }
    route(&request);
    free(field);
    free(text);
    return 0;
}
