/* SPDX-License-Identifier: MIT */
/* /block/{time}: an answer after a call that blocks its thread, as a database driver's would. */
#include <errno.h>
#include <time.h>

#include "common/handlers/handlers.h"
#include "common/number.h"

static void block_run(struct work *work)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(work->input / 1000);
    until.tv_nsec += (long)(work->input % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) {
    }
    work->output = 0;
}

static void block_begin(const struct request *request, struct response *response)
{
    struct work work = {.run = block_run};
    if (number_parse_duration_ms(request->parameter.data, request->parameter.length, HANDLER_WAIT_MOST_MS,
                                 &work.input) != 0) {
        response_problem(response, STATUS_BAD_REQUEST,
                         "A time is a number of seconds, or 200ms and the like, at most 10 s.");
        return;
    }
    response->work = work;
}

static void block_complete(const struct work *work, struct response *response)
{
    (void)work;
    response->content_type = SPAN_LITERAL("text/plain");
    response->text = SPAN_LITERAL("Hello, World!");
}

const struct handler block_handler = {.begin = block_begin, .complete = block_complete};
