/* SPDX-License-Identifier: MIT */
/* What is known of a connection that was accepted, on sockets of each kind. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/net/accepted.h"
#include "server/net/socket_address.h"

static int listener, client;
static struct socket_address address; /* of the listener */

/* False if this machine has no such address. */
static bool listen_on(int family, const struct sockaddr *where, socklen_t length)
{
    int off = 0;
    listener = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (listener < 0) {
        return false;
    }
    if (family == AF_INET6) {
        cr_assert_eq(setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off), 0);
    }
    if (bind(listener, where, length) != 0) {
        return false;
    }
    cr_assert_eq(listen(listener, 1), 0);
    cr_assert_eq(socket_address_of(&address, listener), 0);
    return true;
}

/* Connects, and returns the client's port. */
static in_port_t connect_to(const struct socket_address *where)
{
    struct socket_address own;
    client = socket(where->any.sa_family, SOCK_STREAM, 0);
    cr_assert_eq(connect(client, &where->any, where->length), 0);
    cr_assert_eq(socket_address_of(&own, client), 0);
    return ntohs(socket_address_port(&own));
}

static void check_peer(const struct accepted *accepted, int family, const char *host, in_port_t port)
{
    unsigned char wanted[16] = {0};
    cr_assert_eq(inet_pton(family, host, wanted), 1);
    cr_expect_eq(accepted->peer.family, family, "family %d", accepted->peer.family);
    cr_expect_arr_eq(accepted->peer.address, wanted, sizeof wanted);
    cr_expect_eq(accepted->peer.port, port);
    cr_expect_eq(fcntl(accepted->fd, F_GETFD), FD_CLOEXEC);
    struct peer local;
    cr_expect(accepted_local(accepted->fd, &local));
    cr_expect_eq(local.family, family);
    cr_expect_arr_eq(local.address, wanted, sizeof wanted); /* both ends are loopback addresses */
    cr_expect_eq(local.port, ntohs(socket_address_port(&address)));
    close(accepted->fd);
    close(client);
}

Test(accepted, ipv4)
{
    struct accepted accepted;
    struct socket_address any = socket_address_ipv4((struct in_addr){htonl(INADDR_LOOPBACK)}, 0);
    cr_assert(listen_on(AF_INET, &any.any, any.length));
    cr_expect_eq(accept_connection(&accepted, listener), ACCEPT_EMPTY);
    in_port_t port = connect_to(&address);
    cr_assert_eq(accept_connection(&accepted, listener), ACCEPT_DONE);
    check_peer(&accepted, AF_INET, "127.0.0.1", port);
    cr_expect_eq(accept_connection(&accepted, listener), ACCEPT_EMPTY);
    close(listener);
}

Test(accepted, both_families_on_one_socket)
{
    struct accepted accepted;
    struct socket_address any = socket_address_ipv6(in6addr_any, 0, 0);
    if (!listen_on(AF_INET6, &any.any, any.length)) {
        cr_skip_test("no IPv6 here");
    }
    in_port_t number = socket_address_port(&address);
    struct socket_address ipv4 = socket_address_ipv4((struct in_addr){htonl(INADDR_LOOPBACK)}, number);
    struct socket_address ipv6 = socket_address_ipv6(in6addr_loopback, number, 0);
    in_port_t port = connect_to(&ipv4);
    cr_assert_eq(accept_connection(&accepted, listener), ACCEPT_DONE);
    check_peer(&accepted, AF_INET, "127.0.0.1", port);
    port = connect_to(&ipv6);
    cr_assert_eq(accept_connection(&accepted, listener), ACCEPT_DONE);
    check_peer(&accepted, AF_INET6, "::1", port);
    close(listener);
}

Test(accepted, unix_socket)
{
    struct accepted accepted;
    struct socket_address unnamed = {.local = {.sun_family = AF_UNIX}, .length = sizeof(sa_family_t)};
    cr_assert(listen_on(AF_UNIX, &unnamed.any, unnamed.length)); /* the kernel finds an abstract name */
    client = socket(AF_UNIX, SOCK_STREAM, 0);
    cr_assert_eq(connect(client, &address.any, address.length), 0);
    cr_assert_eq(accept_connection(&accepted, listener), ACCEPT_DONE);
    cr_expect_eq(accepted.peer.family, AF_UNIX);
    cr_expect_eq(accepted.peer.port, 0);
    close(accepted.fd);
    close(client);
    close(listener);
}
