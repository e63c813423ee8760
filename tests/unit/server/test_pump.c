/* SPDX-License-Identifier: MIT */
/* How much one pass sends, on a socket whose buffer takes all of it; and what becomes of bytes behind dropped ones. */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/drivers/shared/pump.h"
#include "tests/unit/support/transcript.h"

enum { BUFFER = 8 << 20, BODY = 4 << 20, PASSES_MAX = 100, LITTLE = 256 * 1024 };

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

/* Takes what is left of the budget; how many bytes. */
static uint64_t take_all(struct budget budget)
{
    uint64_t taken = 0;
    while (budget_take(budget, 1, BUDGET_MUST_KEEP)) {
        taken++;
    }
    return taken;
}

/* There was no memory for a request behind one that waits. What follows may be its middle, even if it looks like a request. */
Test(pump, bytes_behind_dropped_ones_are_no_request)
{
    struct harness harness;
    struct session session;
    const struct peer peer = {.family = AF_INET, .address = {192, 0, 2, 1}, .port = 1234};
    char text[4096] = "";
    int ends[2];
    harness_init(&harness, LITTLE);
    connect_pair(ends);
    struct context *context = &harness.contexts[0];
    session_init(&session, HARNESS_CONNECTION, &peer, REFUSAL_NOT);
    cr_assert(
        session_pump(&session, context, ends[0], IO_DATA, TEXT("GET /delay/1s HTTP/1.1\r\nHost: h\r\n\r\n")));
    cr_assert_eq(session_wants(&session, context), WANT_WAIT);
    uint64_t taken = take_all(context->output.budget);
    cr_assert(session_pump(&session, context, ends[0], IO_LATE,
                           TEXT("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 99\r\n\r\n")));
    budget_give(context->output.budget, taken);
    cr_assert_eq(session.input_dropped, INPUT_DROPPED);
    cr_assert(session_pump(&session, context, ends[0], IO_RESUMED,
                           TEXT("GET /plaintext HTTP/1.1\r\nHost: h\r\n\r\n")));
    cr_assert_gt(recv(ends[1], text, sizeof text - 1, 0), 0);
    const char *first = strstr(text, "HTTP/1.1 200");
    const char *second = strstr(text, "HTTP/1.1 503");
    cr_assert(first == text && second != NULL, "%s", text);
    cr_expect_null(strstr(first + 1, "HTTP/1.1 200"), "%s", text);
    cr_expect_null(strstr(second + 1, "HTTP/1.1"), "%s", text);
    cr_expect_eq(session_wants(&session, context), WANT_CLOSE);
    session_deinit(&session, context->output.budget);
    close(ends[0]);
    close(ends[1]);
    harness_deinit(&harness);
}
