/* SPDX-License-Identifier: MIT */
/* /compute/{rounds}: work for a CPU, the same answer in every mode. */
#include "common/handlers/routes.h"
#include "common/base/number.h"

enum {
    COMPUTE_ROUNDS_MAX = 1000 * 1000 * 1000,
    COMPUTE_PIECE = 1024 * 1024, /* rounds between two checks whether the work is cut off */
};

/* A round is x := (x xor (x >> 32)) * 0xd6e8feb86659fd93 modulo 2^64, a step of a plain 64-bit mixer; the first round
 * begins with x = 0x9e3779b97f4a7c15. Each round depends on the previous one. So it takes about 1 ns, which neither a
 * compiler nor a second core can save. */
static void compute_run(struct work *work)
{
    uint64_t x = 0x9e3779b97f4a7c15;
    uint64_t left = work->input;
    while (left > 0 && !work_is_cut_off(work)) {
        uint64_t piece = left < COMPUTE_PIECE ? left : COMPUTE_PIECE;
        for (uint64_t i = 0; i < piece; i++) {
            x = (x ^ x >> 32) * 0xd6e8feb86659fd93;
        }
        left -= piece;
    }
    work->output = x;
}

static void compute_begin(const struct request *request, struct response *response)
{
    struct work work = {.run = compute_run};
    if (number_parse_u64(request->parameter.data, request->parameter.length, COMPUTE_ROUNDS_MAX,
                         &work.input) != 0) {
        response_problem(response, STATUS_BAD_REQUEST, "The number of rounds must be from 0 to %d.",
                         COMPUTE_ROUNDS_MAX);
        return;
    }
    response->work = work;
}

static void compute_complete(const struct work *work, struct response *response)
{
    response->content_type = SPAN_LITERAL("text/plain");
    response->text =
        (struct span){.data = response->store, .length = number_format_u64(response->store, work->output)};
}

const struct handler compute_handler = {.begin = compute_begin, .complete = compute_complete};
