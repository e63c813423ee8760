/* SPDX-License-Identifier: MIT */
/* How addresses are written, and their ports. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "server/net/socket_address.h"

static void expect_text(const struct socket_address *address, const char *expected)
{
    char text[SOCKET_ADDRESS_TEXT_SIZE];
    cr_assert(socket_address_format(address, text));
    cr_expect_str_eq(text, expected);
}

Test(socket_address, ipv4)
{
    struct socket_address address = socket_address_ipv4((struct in_addr){htonl(0x7f000001)}, htons(8080));
    expect_text(&address, "127.0.0.1:8080");
    cr_assert_eq(socket_address_port(&address), htons(8080));
    socket_address_set_port(&address, htons(65535));
    expect_text(&address, "127.0.0.1:65535");
    address = socket_address_ipv4((struct in_addr){INADDR_ANY}, 0);
    expect_text(&address, "0.0.0.0:0");
}

Test(socket_address, ipv6)
{
    static const struct {
        const char *host;
        unsigned zone;
        const char *text;
    } cases[] = {
        {"::1", 0, "[::1]:80"},
        {"::", 0, "[::]:80"},
        {"2001:db8:1111:2222:3333:4444:5555:6666", 0, "[2001:db8:1111:2222:3333:4444:5555:6666]:80"},
        {"fe80::1", 1, "[fe80::1%lo]:80"},
        {"fe80::1", 0x7fffffff, "[fe80::1]:80"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct in6_addr host;
        cr_assert_eq(inet_pton(AF_INET6, cases[i].host, &host), 1);
        struct socket_address address = socket_address_ipv6(host, htons(1), cases[i].zone);
        socket_address_set_port(&address, htons(80));
        cr_assert_eq(socket_address_port(&address), htons(80));
        expect_text(&address, cases[i].text);
    }
}

Test(socket_address, local)
{
    static const struct {
        const char *name;
        size_t length;
        const char *text;
    } cases[] = {
        {"", 0, "unix:"},
        {"/run/a", 6, "unix:/run/a"},
        {"/run/a\0b", 8, "unix:/run/a"},
        {"\0name", 5, "unix:@name"},
        {"\0a\0b\n", 5, "unix:@a?b?"},
        {"/a\x1b", 3, "unix:/a?"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct socket_address address = {.local = {.sun_family = AF_UNIX}};
        memcpy(address.local.sun_path, cases[i].name, cases[i].length);
        address.length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + cases[i].length);
        expect_text(&address, cases[i].text);
    }
}

Test(socket_address, longest_local)
{
    char text[SOCKET_ADDRESS_TEXT_SIZE];
    struct socket_address address = {.length = sizeof(struct sockaddr_un), .local = {.sun_family = AF_UNIX}};
    memset(address.local.sun_path, 'a', sizeof(address.local.sun_path));
    cr_assert(socket_address_format(&address, text));
    cr_assert_eq(strlen(text), sizeof(text) - 1);
    address.local.sun_path[0] = '\0';
    cr_assert(socket_address_format(&address, text));
    cr_assert_eq(strlen(text), sizeof(text) - 1);
}

Test(socket_address, other_families_have_no_text)
{
    char text[SOCKET_ADDRESS_TEXT_SIZE];
    struct socket_address address = {.length = sizeof(struct sockaddr), .any = {.sa_family = AF_PACKET}};
    cr_assert_not(socket_address_format(&address, text));
}

Test(socket_address, of_a_socket)
{
    struct socket_address address;
    struct socket_address bound = socket_address_ipv4((struct in_addr){htonl(INADDR_LOOPBACK)}, 0);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(fd, &bound.any, bound.length), 0);
    cr_assert_eq(socket_address_of(&address, fd), 0);
    cr_assert_neq(socket_address_port(&address), 0);
    close(fd);
    cr_assert_eq(socket_address_of(&address, fd), -EBADF);
}
