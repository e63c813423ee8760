/* SPDX-License-Identifier: MIT */
/* How long a lingering close lasts, and what it discards, on sockets and with times of the test's own. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/drivers/shared/lingering.h"

enum { BEGIN = 1000000, WHOLE = 10000 };

static int ours, peers; /* the two ends of a connection */

static void connect_unix(void)
{
    int ends[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    ours = ends[0];
    peers = ends[1];
}

static void connect_tcp(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(listen(listener, 1), 0);
    cr_assert_eq(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    peers = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(connect(peers, (struct sockaddr *)&address, sizeof address), 0);
    ours = accept(listener, NULL, NULL);
    cr_assert_geq(ours, 0);
    close(listener);
}

static void disconnect(void)
{
    close(ours);
    close(peers);
}

static bool advance(struct lingering *lingering, bool readable, uint64_t now)
{
    char room[4096];
    return lingering_advance(lingering, ours, readable, room, sizeof room, now);
}

static ssize_t left_unread(void)
{
    char byte;
    return recv(ours, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
}

Test(lingering, shuts_down_the_sending_side)
{
    char byte;
    connect_unix();
    lingering_begin(ours, BEGIN, WHOLE);
    lingering_shut_down(ours);
    cr_expect_eq(recv(peers, &byte, 1, 0), 0);
    cr_expect_eq(send(peers, "x", 1, MSG_NOSIGNAL), 1, "the other side is open");
    disconnect();
}

static void check_discards(void)
{
    struct lingering lingering = lingering_begin(ours, BEGIN, WHOLE);
    lingering_shut_down(ours);
    for (uint64_t now = BEGIN; now < BEGIN + 5000; now += 1000) {
        cr_assert_eq(send(peers, "discarded", 9, 0), 9);
        cr_expect(advance(&lingering, true, now));
        cr_expect_eq(left_unread(), -1, "it is left in the kernel");
        cr_expect_eq(lingering_deadline(&lingering), now + LINGER_QUIET_MS, "bytes put it off");
    }
    close(peers);
    cr_expect_not(advance(&lingering, true, BEGIN + 5000), "the peer has closed");
    close(ours);
}

Test(lingering, discards_on_tcp)
{
    connect_tcp();
    check_discards();
}

Test(lingering, discards_on_a_unix_socket)
{
    connect_unix();
    check_discards();
}

Test(lingering, a_reset_ends_it)
{
    struct linger at_once = {.l_onoff = 1};
    connect_tcp();
    struct lingering lingering = lingering_begin(ours, BEGIN, WHOLE);
    lingering_shut_down(ours);
    setsockopt(peers, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(peers);
    cr_expect_not(advance(&lingering, true, BEGIN + 1));
    close(ours);
}

Test(lingering, ends_after_silence_and_a_while_unread)
{
    connect_unix();
    struct lingering lingering = lingering_begin(ours, BEGIN, WHOLE);
    lingering_shut_down(ours);
    uint64_t quiet = BEGIN + LINGER_QUIET_MS;
    cr_expect_eq(lingering_deadline(&lingering), quiet);
    cr_expect(advance(&lingering, false, quiet - 1));
    cr_expect_not(lingering.unread);
    cr_expect(advance(&lingering, false, quiet));
    cr_expect(lingering.unread);
    cr_expect_eq(lingering_deadline(&lingering), quiet + LINGER_UNREAD_MS);
    send(peers, "x", 1, 0);
    cr_expect(advance(&lingering, true, quiet + LINGER_UNREAD_MS - 1));
    cr_expect_eq(left_unread(), 1, "it was read");
    cr_expect_not(advance(&lingering, false, quiet + LINGER_UNREAD_MS));
    disconnect();
}

Test(lingering, ends_in_all_though_bytes_come)
{
    connect_unix();
    struct lingering lingering = lingering_begin(ours, BEGIN, WHOLE);
    lingering_shut_down(ours);
    for (uint64_t now = BEGIN; now < BEGIN + WHOLE; now += 100) {
        send(peers, "x", 1, 0);
        cr_assert(advance(&lingering, true, now));
        cr_assert_not(lingering.unread);
    }
    send(peers, "x", 1, 0);
    cr_expect(advance(&lingering, true, BEGIN + WHOLE));
    cr_expect(lingering.unread);
    cr_expect_not(advance(&lingering, true, BEGIN + WHOLE + LINGER_UNREAD_MS));
    disconnect();
}

Test(lingering, gives_way_after_half_a_second)
{
    connect_unix();
    struct lingering lingering = lingering_begin(ours, BEGIN, WHOLE);
    lingering_shut_down(ours);
    cr_expect_not(lingering_may_give_way(&lingering, BEGIN + LINGER_GIVES_WAY_MS - 1));
    send(peers, "x", 1, 0);
    cr_expect(advance(&lingering, true, BEGIN + LINGER_GIVES_WAY_MS - 1));
    cr_expect(lingering_may_give_way(&lingering, BEGIN + LINGER_GIVES_WAY_MS), "bytes do not put that off");
    disconnect();
}
