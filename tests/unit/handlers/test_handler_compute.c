/* SPDX-License-Identifier: MIT */
/* /compute/{rounds}: known values of the chain, worked out elsewhere. */
#include <criterion/criterion.h>

#include "common/handlers/routes.h"
#include "tests/unit/support/ask.h"

#define PROBLEM "Content-Type: application/problem+json"

static const struct ask cases[] = {
    {.line = "GET /compute/0",
     .status = 200,
     .fields = {"Content-Type: text/plain"},
     .answer = "11400714819323198485"},
    {.line = "GET /compute/1", .status = 200, .answer = "1728126539640421828"},
    {.line = "GET /compute/2", .status = 200, .answer = "5627194302020777502"},
    {.line = "POST /compute/10", .body = "x", .status = 200, .answer = "18235852073965115120"},
    {.line = "GET /compute/1000", .status = 200, .answer = "6861370275473347976"},
    {.line = "GET /compute/1000000", .status = 200, .answer = "13192475161218272349"},
    {.line = "HEAD /compute/0", .status = 200, .fields = {"Content-Length: 20"}, .answer = ""},
    {.line = "GET /compute/1000000001", .status = 400, .fields = {PROBLEM}, .within = "1000000000"},
    {.line = "GET /compute/1k", .status = 400, .fields = {PROBLEM}},
    {.line = "GET /compute/-1", .status = 400, .fields = {PROBLEM}},
    {.line = "GET /compute/", .status = 404},
};

Test(handler_compute, answers)
{
    ASK_ALL(cases);
}

/* The output of the work for so many rounds; `cutting`: it is cut off from the start. */
static uint64_t output_of(const char *rounds, const _Atomic bool *cutting)
{
    struct scoreboard *scoreboard = scoreboard_new(1, ASK_HELD_LIMIT);
    struct response response;
    struct request request = {.parameter = {.data = rounds, .length = strlen(rounds)}};
    response_init(&response, (struct budget){.scoreboard = scoreboard, .counters = &scoreboard->counters[0]});
    compute_handler.begin(&request, &response);
    struct work work = response.work;
    scoreboard_free(scoreboard);
    cr_assert_not_null(work.run);
    work.cutting = cutting;
    work.run(&work);
    return work.output;
}

/* Before the first round. */
Test(handler_compute, is_cut_off)
{
    static const _Atomic bool cutting = true;
    cr_expect_eq(output_of("10", &cutting), output_of("0", NULL));
    cr_expect_neq(output_of("10", NULL), output_of("0", NULL));
}

/* The most that is allowed is taken on; nobody waits for it here. */
Test(handler_compute, the_most)
{
    struct harness harness;
    struct drive drive;
    struct transcript t;
    harness_init(&harness, ASK_HELD_LIMIT);
    drive_init(&drive, &harness, &t, REFUSAL_NOT);
    drive_pass(&drive, TEXT("GET /compute/1000000000 HTTP/1.1\r\nHost: h\r\n\r\n"));
    cr_expect_eq(t.wants, WANT_WORK);
    cr_expect_eq(session_work(&drive.session)->input, 1000000000);
    drive_deinit(&drive);
    cr_expect(t.problem[0] == '\0', "%s", t.problem);
    harness_deinit(&harness);
}
