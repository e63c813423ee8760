/* SPDX-License-Identifier: MIT */
/* How much one pass sends, on a socket whose buffer takes all of it. */
#include <criterion/criterion.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/drivers/shared/pump.h"
#include "tests/unit/support/transcript.h"

enum { BUFFER = 8 << 20, BODY = 4 << 20, PASSES_MAX = 100 };

/* A buffer of that size is root's; without it the socket is full before the pass has sent its share. */
static void connect_pair(int ends[2])
{
    int size = BUFFER;
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    (void)setsockopt(ends[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
}

static void discard(int fd)
{
    static char bytes[64 * 1024];
    while (recv(fd, bytes, sizeof bytes, 0) > 0) {
    }
}

Test(pump, a_pass_sends_its_share_and_no_more)
{
    struct harness harness;
    struct session session;
    const struct peer peer = {.family = AF_INET, .address = {192, 0, 2, 1}, .port = 1234};
    int ends[2];
    harness_init(&harness, 16 << 20);
    connect_pair(ends);
    struct context *context = &harness.contexts[0];
    session_init(&session, HARNESS_CONNECTION, &peer, REFUSAL_NOT);
    uint64_t before = 0;
    int passes = 0;
    cr_assert(session_pump(&session, context, ends[0], IO_DATA,
                           TEXT("GET /bytes/4194304 HTTP/1.1\r\nHost: h\r\n\r\n")));
    do {
        uint64_t sent = atomic_load(&context->counters->sent) - before;
        cr_expect_leq(sent, PUMP_BYTES_MAX + SESSION_SCRATCH_MIN, "%llu bytes in a pass",
                      (unsigned long long)sent);
        before += sent;
        discard(ends[1]);
        cr_assert(session_pump(&session, context, ends[0], IO_WRITABLE, PUMP_NO_BYTES));
    } while (atomic_load(&context->counters->sent) > before && ++passes < PASSES_MAX);
    cr_expect_gt(before, BODY);
    cr_expect_eq(session_wants(&session, context), WANT_READ);
    session_deinit(&session, context->output.budget);
    close(ends[0]);
    close(ends[1]);
    harness_deinit(&harness);
}
