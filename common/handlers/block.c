/* SPDX-License-Identifier: MIT */
/* /block/{time}: an answer after a call that blocks its thread, as a database driver's would. */
#include <errno.h>
#include <time.h>

#include "common/handlers/routes.h"
#include "common/handlers/wait.h"

enum {
    MS_NS = 1000 * 1000,
    BLOCK_PIECE_MS = 100, /* until it looks whether it is cut off */
};

static void block_until(const struct timespec *until)
{
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, until, NULL) == EINTR) {
    }
}

static void block_run(struct work *work)
{
    struct timespec until;
    uint64_t left = work->input;
    clock_gettime(CLOCK_MONOTONIC, &until);
    while (left > 0 && !work_is_cut_off(work)) { /* it may have waited for a worker until the cut-off */
        uint64_t piece = left < BLOCK_PIECE_MS ? left : BLOCK_PIECE_MS;
        until.tv_nsec += (long)piece * MS_NS;
        if (until.tv_nsec >= 1000L * MS_NS) {
            until.tv_sec++;
            until.tv_nsec -= 1000L * MS_NS;
        }
        block_until(&until);
        left -= piece;
    }
    work->output = 0;
}

static void block_begin(const struct request *request, struct response *response)
{
    struct work work = {.run = block_run};
    if (wait_read(request, response, "The time", request->parameter, &work.input)) {
        response->work = work;
    }
}

static void block_complete(const struct work *work, struct response *response)
{
    (void)work;
    response->content_type = SPAN_LITERAL("text/plain");
    response->text = SPAN_LITERAL("Hello, World!");
}

const struct handler block_handler = {.begin = block_begin, .complete = block_complete};
