/* SPDX-License-Identifier: MIT */
/* /block/{time}: the answer of /plaintext after a call that blocks its thread for that time. */
#include <criterion/criterion.h>
#include <signal.h>
#include <sys/time.h>

#include "common/base/clock.h"
#include "common/handlers/routes.h"
#include "tests/unit/support/ask.h"

#define PROBLEM "Content-Type: application/problem+json"

static const struct ask cases[] = {
    {.line = "GET /block/0",
     .status = 200,
     .fields = {"Content-Type: text/plain"},
     .answer = "Hello, World!"},
    {.line = "GET /block/2ms", .status = 200, .fields = {"Content-Length: 13"}, .answer = "Hello, World!"},
    {.line = "POST /block/0.001", .body = "x", .status = 200, .answer = "Hello, World!"},
    {.line = "HEAD /block/1ms", .status = 200, .fields = {"Content-Length: 13"}, .answer = ""},
    {.line = "GET /block/10.001", .status = 400, .fields = {PROBLEM}, .within = "at most 10 s"},
    {.line = "GET /block/soon", .status = 400, .fields = {PROBLEM}},
    {.line = "GET /block/", .status = 404},
};

Test(handler_block, answers)
{
    ASK_ALL(cases);
}

static struct work work_for(const char *time)
{
    struct scoreboard *scoreboard = scoreboard_new(1, ASK_HELD_LIMIT);
    struct response response;
    struct service service = {.max_delay_ms = 10000};
    struct request request = {.service = &service, .parameter = {.data = time, .length = strlen(time)}};
    response_init(&response, (struct budget){.scoreboard = scoreboard, .counters = &scoreboard->counters[0]});
    block_handler.begin(&request, &response);
    scoreboard_free(scoreboard);
    cr_assert_not_null(response.work.run);
    return response.work;
}

/* Clock and sleep are the same clock's: the time is never cut short. */
Test(handler_block, takes_its_time)
{
    static const struct {
        const char *time;
        uint64_t ms;
    } rows[] = {{"1ms", 1}, {"0.02", 20}, {"0.0011", 2}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct work work = work_for(rows[i].time);
        uint64_t begin = clock_us();
        work.run(&work);
        cr_expect_geq(clock_us() - begin, rows[i].ms * 1000, "%s", rows[i].time);
    }
}

static void on_alarm(int number)
{
    (void)number;
}

/* A signal that interrupts the call does not shorten it. */
Test(handler_block, is_not_cut_short_by_signals)
{
    struct sigaction action = {.sa_handler = on_alarm};
    struct itimerval every = {.it_interval = {.tv_usec = 2000}, .it_value = {.tv_usec = 2000}};
    struct itimerval never = {0};
    struct work work = work_for("30ms");
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &every, NULL);
    uint64_t begin = clock_us();
    work.run(&work);
    uint64_t took = clock_us() - begin;
    setitimer(ITIMER_REAL, &never, NULL);
    cr_expect_geq(took, 30000);
}

/* Of 10 s only the first piece passes; the test's own limit is half of them. */
Test(handler_block, is_cut_off, .timeout = 5)
{
    static const _Atomic bool cutting = true;
    struct work work = work_for("10s");
    work.cutting = &cutting;
    work.run(&work);
}
