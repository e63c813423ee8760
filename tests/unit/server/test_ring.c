/* SPDX-License-Identifier: MIT */
/* What a ring promises to connections: sends without a word that complete if they are short, failed ones first; buffers that come back;
 * queues that may be full. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "server/drivers/uring/ring.h"

enum { OWNERS = 16384, COMPLETIONS_KEPT = 64, PATIENCE = 1000, ROOM = 64 * 1024 };

/* As a connection, it has an address of its own. */
struct owner {
    _Alignas(RING_TAGS) unsigned completed;
};

static struct ring ring;
static struct owner owners[OWNERS];
/* Of the last turn, with what was received in `text`. */
static struct ring_completion completions[COMPLETIONS_KEPT];
static unsigned count;
static char text[2 * RING_BUFFER_SIZE];
static size_t text_length;
static int ours, peers;

static void keep(void *context, const struct ring_completion *completion)
{
    (void)context;
    if (completion->owner != NULL) {
        ((struct owner *)completion->owner)->completed++;
    }
    if (count < COMPLETIONS_KEPT) {
        completions[count] = *completion;
    }
    count++;
    if (completion->bytes != NULL && completion->result > 0 &&
        text_length + (size_t)completion->result <= sizeof text) {
        memcpy(text + text_length, completion->bytes, (size_t)completion->result);
        text_length += (size_t)completion->result;
    }
}

static void turn(int64_t timeout_ms)
{
    count = 0;
    text_length = 0;
    cr_assert_eq(ring_submit_and_wait(&ring, timeout_ms), 0);
    ring_take(&ring, keep, NULL);
}

static bool is_kernel_too_old(void)
{
    struct utsname kernel;
    int major = 0, minor = 0;
    uname(&kernel);
    sscanf(kernel.release, "%d.%d", &major, &minor);
    return major < 6 || (major == 6 && minor < 1);
}

static void set_up(void)
{
    int ends[2];
    int error = ring_init(&ring);
    if (error == -ENOSYS || error == -EPERM || (error == -EINVAL && is_kernel_too_old())) {
        cr_skip_test("no io_uring here: %s", strerror(-error));
    }
    cr_assert_eq(error, 0, "%s", strerror(-error));
    cr_assert_eq(ring_enter_thread(&ring), 0);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    ours = ends[0];
    peers = ends[1];
}

static void tear_down(void)
{
    ring_deinit(&ring);
    close(ours);
    close(peers);
}

TestSuite(ring, .init = set_up, .fini = tear_down);

static size_t read_all(char *room, size_t size)
{
    size_t length = 0;
    ssize_t got;
    while (length < size && (got = recv(peers, room + length, size - length, MSG_DONTWAIT)) > 0) {
        length += (size_t)got;
    }
    return length;
}

/* ---- sends ---- */

Test(ring, a_send_is_done_when_the_call_returns_and_says_nothing)
{
    char room[16];
    const char *copy;
    uint32_t before = ring.turn;
    cr_assert(ring_send(&ring, ours, "hello", 5, &owners[0], &copy));
    cr_expect_arr_eq(copy, "hello", 5);
    turn(0);
    cr_expect_eq(count, 0u);
    cr_expect_eq(ring.turn, before + 1);
    cr_expect_eq(read_all(room, sizeof room), (size_t)5);
}

/* Sends until the socket is full; returns the result of the send that completes, and how much all have sent. */
static int fill_socket(size_t *sent, const char **copy)
{
    char bytes[RING_SEND_MAX];
    int size = 1;
    memset(bytes, 'x', sizeof bytes);
    setsockopt(ours, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    for (*sent = 0; *sent < ROOM; *sent += sizeof bytes) {
        cr_assert(ring_send(&ring, ours, bytes, sizeof bytes, &owners[0], copy));
        turn(0);
        if (count > 0) {
            cr_assert_eq(completions[0].tag, RING_SEND);
            cr_assert_eq(completions[0].owner, &owners[0]);
            *sent += completions[0].result > 0 ? (size_t)completions[0].result : 0;
            return completions[0].result;
        }
    }
    cr_assert_fail("the socket is never full");
    return 0;
}

Test(ring, a_send_that_is_short_or_finds_no_room_completes)
{
    static char room[2 * ROOM];
    size_t sent;
    const char *copy;
    int result = fill_socket(&sent, &copy);
    cr_expect(result == -EAGAIN || (result > 0 && result < RING_SEND_MAX), "result %d", result);
    cr_expect_eq(copy[RING_SEND_MAX - 1], 'x', "the copy is there until the next turn is over");
    cr_expect_eq(read_all(room, sizeof room), sent);
}

Test(ring, a_broken_socket_completes_without_a_signal)
{
    const char *copy;
    close(peers);
    cr_assert(ring_send(&ring, ours, "hello", 5, &owners[0], &copy));
    turn(0);
    cr_assert_eq(count, 1u);
    cr_expect_eq(completions[0].result, -EPIPE);
    peers = dup(ours);
}

Test(ring, a_failed_send_is_told_before_what_has_come)
{
    const char *copy;
    cr_assert_eq(send(peers, "request", 7, 0), 7);
    cr_assert(ring_receive(&ring, ours, false, &owners[0]));
    cr_assert(ring_send(&ring, -1, "hello", 5, &owners[0], &copy));
    turn(PATIENCE);
    cr_assert_eq(count, 2u);
    cr_expect_eq(completions[0].tag, RING_SEND);
    cr_expect_eq(completions[0].result, -EBADF);
    cr_expect_eq(completions[1].tag, RING_RECEIVE);
}

Test(ring, the_copies_of_a_turn_are_bounded)
{
    static char bytes[RING_SEND_MAX + 1];
    const char *copy;
    unsigned sends = 0;
    cr_expect_not(ring_send(&ring, ours, bytes, RING_SEND_MAX + 1, &owners[0], &copy));
    while (ring_send(&ring, ours, bytes, RING_SEND_MAX, &owners[0], &copy)) {
        sends++;
    }
    cr_expect_eq(sends, (unsigned)(RING_ARENA_SIZE / RING_SEND_MAX));
    cr_expect_not(ring_send(&ring, ours, bytes, 1, &owners[0], &copy));
    turn(0);
    cr_expect(ring_send(&ring, ours, bytes, RING_SEND_MAX, &owners[0], &copy),
              "the next turn has room of its own");
}

Test(ring, a_send_grows_until_it_is_submitted_or_another_follows)
{
    static char bytes[RING_SEND_MAX];
    char room[16];
    const char *copy;
    cr_expect_not(ring_send_more(&ring, "x", 1, &owners[0]), "there is no send");
    cr_assert(ring_send(&ring, ours, "hel", 3, &owners[0], &copy));
    cr_expect_not(ring_send_more(&ring, "x", 1, &owners[1]), "it is another's");
    cr_expect(ring_send_more(&ring, "lo", 2, &owners[0]));
    turn(0);
    cr_expect_eq(count, 0u);
    cr_expect_eq(read_all(room, sizeof room), (size_t)5);
    cr_expect_arr_eq(room, "hello", 5);
    cr_expect_not(ring_send_more(&ring, "x", 1, &owners[0]), "it is submitted");
    cr_assert(ring_send(&ring, ours, "a", 1, &owners[0], &copy));
    ring_submit(&ring);
    cr_expect_not(ring_send_more(&ring, "x", 1, &owners[0]), "it is submitted");
    cr_assert(ring_send(&ring, ours, bytes, RING_SEND_MAX, &owners[0], &copy));
    cr_expect(ring_send_more(&ring, bytes, RING_SEND_MAX, &owners[0]));
    cr_expect_not(ring_send_more(&ring, "x", 1, &owners[0]), "it is as long as may be");
}

Test(ring, what_a_send_grows_by_is_bounded_by_the_copies_of_the_turn)
{
    static char bytes[RING_SEND_MAX];
    const char *copy;
    while (ring_send(&ring, ours, bytes, RING_SEND_MAX, &owners[0], &copy)) {
    }
    cr_expect_not(ring_send_more(&ring, "x", 1, &owners[0]));
}

/* ---- receives ---- */

Test(ring, a_receive_brings_bytes_once)
{
    cr_assert_eq(send(peers, "one", 3, 0), 3);
    cr_assert(ring_receive(&ring, ours, false, &owners[3]));
    turn(PATIENCE);
    cr_assert_eq(count, 1u);
    cr_expect_eq(completions[0].owner, &owners[3]);
    cr_expect_eq(completions[0].tag, RING_RECEIVE);
    cr_expect_eq(completions[0].result, 3);
    cr_expect_not(completions[0].more);
    cr_expect_arr_eq(text, "one", 3);
}

Test(ring, a_receive_goes_on_until_it_is_cancelled)
{
    cr_assert(ring_receive(&ring, ours, true, &owners[0]));
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(send(peers, "some", 4, 0), 4);
        turn(PATIENCE);
        cr_assert_eq(count, 1u);
        cr_expect_eq(completions[0].result, 4);
        cr_expect(completions[0].more);
    }
    cr_assert(ring_cancel(&ring, &owners[0], RING_RECEIVE));
    turn(PATIENCE);
    cr_assert_eq(count, 1u, "%u completions: the cancel itself has none", count);
    cr_expect_eq(completions[0].result, -ECANCELED);
    cr_expect_not(completions[0].more);
}

Test(ring, the_end_completes_with_nothing)
{
    cr_assert(ring_receive(&ring, ours, true, &owners[0]));
    shutdown(peers, SHUT_WR);
    turn(PATIENCE);
    cr_assert_eq(count, 1u);
    cr_expect_eq(completions[0].result, 0);
    cr_expect_not(completions[0].more);
}

/* Four times as many as there are. */
Test(ring, buffers_come_back)
{
    for (unsigned i = 0; i < 4 * RING_BUFFERS; i++) {
        cr_assert_eq(send(peers, "x", 1, 0), 1);
        cr_assert(ring_receive(&ring, ours, false, &owners[0]));
        turn(PATIENCE);
        cr_assert_eq(count, 1u);
        cr_assert_eq(completions[0].result, 1, "receive %u: %s", i, strerror(-completions[0].result));
    }
}

static void need_descriptors(rlim_t needed)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < needed) {
        cr_skip_test("it needs %llu descriptors", (unsigned long long)needed);
    }
}

/* More receives in one turn than there are buffers: those that find none say so, then there are more buffers, and all receives find
 * one in the end. */
Test(ring, without_a_buffer_a_receive_says_so)
{
    enum { MANY = RING_BUFFERS + 100, DESCRIPTORS = 1300 }; /* two for each, and those of the test */
    static int pairs[MANY][2];
    unsigned received = 0, refused = 0, turns = 0;
    need_descriptors(DESCRIPTORS);
    cr_expect_eq(ring.buffer_count, (unsigned)RING_BUFFERS_FIRST);
    for (unsigned i = 0; i < MANY; i++) {
        cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]), 0, "%s", strerror(errno));
        cr_assert_eq(send(pairs[i][1], "x", 1, 0), 1);
        cr_assert(ring_receive(&ring, pairs[i][0], false, &owners[i]));
    }
    ring_submit(&ring); /* all at once: none is given back meanwhile */
    while (received < MANY) {
        cr_assert_lt(turns++, MANY);
        turn(PATIENCE);
        for (unsigned i = 0; i < count && i < COMPLETIONS_KEPT; i++) {
            cr_assert(completions[i].result == 1 || completions[i].result == -ENOBUFS);
        }
        cr_assert_gt(count, 0u);
        for (unsigned i = 0; i < MANY; i++) {
            if (owners[i].completed == 1 && recv(pairs[i][0], text, 1, MSG_PEEK | MSG_DONTWAIT) == 1) {
                owners[i].completed = 0;
                refused++;
                cr_assert(ring_receive(&ring, pairs[i][0], false, &owners[i]));
            } else if (owners[i].completed == 1) {
                owners[i].completed = 2;
                received++;
            }
        }
    }
    cr_expect_geq(refused, 100u);
    cr_expect_eq(ring.buffer_count, (unsigned)RING_BUFFERS);
    for (unsigned i = 0; i < MANY; i++) {
        close(pairs[i][0]);
        close(pairs[i][1]);
    }
}

/* ---- the others ---- */

Test(ring, alarms_ring_and_are_cancelled)
{
    struct __kernel_timespec soon = {.tv_nsec = 1000000};
    struct __kernel_timespec late = {.tv_sec = 3600};
    cr_assert(ring_alarm(&ring, &soon, &owners[0]));
    cr_assert(ring_alarm(&ring, &late, &owners[1]));
    turn(PATIENCE);
    cr_assert_eq(count, 1u);
    cr_expect_eq(completions[0].owner, &owners[0]);
    cr_expect_eq(completions[0].result, -ETIME);
    cr_assert(ring_cancel(&ring, &owners[1], RING_ALARM));
    turn(PATIENCE);
    cr_assert_eq(count, 1u);
    cr_expect_eq(completions[0].result, -ECANCELED);
}

Test(ring, a_cancel_comes_too_late)
{
    cr_assert(ring_cancel(&ring, &owners[0], RING_RECEIVE));
    turn(0);
    cr_assert_eq(count, 1u);
    cr_expect_eq(completions[0].tag, RING_NONE, "who is cancelled hears nothing");
    cr_expect_eq(completions[0].result, -ENOENT);
    cr_expect_eq(owners[0].completed, 0u);
}

Test(ring, a_watch_tells_each_time)
{
    eventfd_t value;
    int fd = eventfd(0, EFD_NONBLOCK);
    cr_assert(ring_watch(&ring, fd, &owners[0]));
    for (int i = 0; i < 3; i++) {
        eventfd_write(fd, 1);
        turn(PATIENCE);
        cr_assert_eq(count, 1u);
        cr_expect_eq(completions[0].tag, RING_WAKEUP);
        cr_expect(completions[0].more);
        eventfd_read(fd, &value);
    }
    close(fd);
}

Test(ring, room_is_awaited)
{
    static char room[2 * ROOM];
    size_t sent;
    const char *copy;
    fill_socket(&sent, &copy);
    cr_assert(ring_await_writable(&ring, ours, &owners[5]));
    turn(0);
    cr_expect_eq(count, 0u);
    read_all(room, sizeof room);
    turn(PATIENCE);
    cr_assert_eq(count, 1u);
    cr_expect_eq(completions[0].owner, &owners[5]);
    cr_expect_eq(completions[0].tag, RING_WRITABLE);
}

/* By a wait for bytes, which leaves them in the socket. */
Test(ring, bytes_are_awaited)
{
    char byte;
    cr_assert(ring_await_readable(&ring, ours, &owners[5]));
    turn(0);
    cr_expect_eq(count, 0u);
    cr_assert_eq(send(peers, "x", 1, 0), 1);
    turn(PATIENCE);
    cr_assert_eq(count, 1u);
    cr_expect_eq(completions[0].owner, &owners[5]);
    cr_expect_eq(completions[0].tag, RING_READABLE);
    cr_expect(!completions[0].more && completions[0].bytes == NULL);
    cr_expect_eq(recv(ours, &byte, 1, MSG_DONTWAIT), 1);
}

Test(ring, a_wait_ends_by_itself)
{
    turn(1);
    cr_expect_eq(count, 0u);
}

/* Three times as many as the ring has entries, and more completions than it has room for: each comes once, and meanwhile the turn is not
 * over, because a send among them may have failed. */
Test(ring, more_than_there_is_room_for)
{
    const char *copy;
    unsigned whole = 0, turns = 0;
    bool overflowed = false;
    for (unsigned i = 0; i < OWNERS; i++) {
        cr_assert(ring_receive(&ring, -1, false, &owners[i]), "no room for %u", i); /* fails at once */
    }
    cr_assert(ring_send(&ring, -1, "hello", 5, &owners[0], &copy));
    while (whole < OWNERS + 1) {
        uint32_t before = ring.turn;
        cr_assert_lt(turns++, 100u);
        count = 0;
        cr_assert_eq(ring_submit_and_wait(&ring, 0), 0);
        if (io_uring_cq_has_overflow(&ring.io)) {
            overflowed = true;
            cr_expect_eq(ring.turn, before, "the turn is over, but not all is known");
        }
        ring_take(&ring, keep, NULL);
        whole += count;
    }
    cr_expect(overflowed);
    cr_expect_not(ring_has_completions(&ring));
    for (unsigned i = 0; i < OWNERS; i++) {
        cr_assert_eq(owners[i].completed, 1u + (i == 0), "owner %u", i);
    }
}
