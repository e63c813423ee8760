/* SPDX-License-Identifier: MIT */
/* Sockets that are opened, taken over and closed, and failures that leave nothing behind. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "server/net/listeners.h"
#include "server/system/sysfile.h"
#include "tests/unit/support/fixture_tree.h"

#define BACKLOG 16

/* What the bind and socket below refuse, before the kernel is asked. */
static struct {
    int socket_any;      /* errno for every socket; 0: none */
    int socket_ipv6;     /* errno for every IPv6 socket; 0: none */
    int bind_ipv6;       /* errno for the next bind_ipv6_times binds to an IPv6 address */
    int bind_ipv6_times; /* below 0: for all of them */
} refusal;

/* These stand before the C library's. */

int socket(int family, int type, int protocol)
{
    int refused = refusal.socket_any != 0 ? refusal.socket_any : family == AF_INET6 ? refusal.socket_ipv6 : 0;
    if (refused != 0) {
        errno = refused;
        return -1;
    }
    return (int)syscall(SYS_socket, family, type, protocol);
}

int bind(int fd, const struct sockaddr *address, socklen_t length)
{
    if (address->sa_family == AF_INET6 && refusal.bind_ipv6_times != 0) {
        refusal.bind_ipv6_times -= refusal.bind_ipv6_times > 0;
        errno = refusal.bind_ipv6;
        return -1;
    }
    return (int)syscall(SYS_bind, fd, address, length);
}

static char root[FIXTURE_TREE_SIZE];

static void make_root(void)
{
    fixture_tree_new(root);
}

static void remove_root(void)
{
    fixture_tree_free(root);
}

TestSuite(listeners, .init = make_root, .fini = remove_root);

/* Containers often have no ::1. What two families are worth is then tested by the refusals above alone. */
static bool lacks_ipv6(const char *specs)
{
    struct socket_address address = socket_address_ipv6(in6addr_loopback, 0, 0);
    if (strpbrk(specs, "[*") == NULL && strstr(specs, "localhost") == NULL) {
        return false;
    }
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool lacks = fd < 0 || bind(fd, &address.any, address.length) != 0;
    close(fd);
    return lacks;
}

/* A test that is skipped does not come to its suite's end. */
static void skip_without_ipv6(void)
{
    if (lacks_ipv6("*")) {
        remove_root();
        cr_skip_test("no IPv6 here");
    }
}

struct opened {
    struct listeners listeners;
    int result;
    char error[256];
};

/* The specifications are separated by blanks; a path begins below root. */
static void open_all(struct opened *opened, const char *text)
{
    struct listen_spec specs[LISTENERS_SPEC_MAX];
    size_t count = 0;
    for (; *text != '\0'; text += strspn(text, " "), count++) {
        char spec[256];
        const char *why = "";
        int length = (int)strcspn(text, " ");
        if (strncmp(text, "unix:", 5) == 0) {
            snprintf(spec, sizeof(spec), "unix:%s/%.*s", root, length - 5, text + 5);
        } else {
            snprintf(spec, sizeof(spec), "%.*s", length, text);
        }
        cr_assert_eq(listen_spec_parse(&specs[count], spec, strlen(spec), &why), 0, "%s: %s", spec, why);
        text += length;
    }
    opened->error[0] = '\0';
    opened->result =
        listeners_open(&opened->listeners, specs, count, BACKLOG, opened->error, sizeof(opened->error));
}

static bool exists(const char *name)
{
    char path[128];
    struct stat status;
    snprintf(path, sizeof(path), "%s/%s", root, name);
    return lstat(path, &status) == 0;
}

static unsigned open_descriptors(void)
{
    return sysfile_entries("", "/proc/self/fd");
}

static unsigned port_of(const struct listener *listener)
{
    return (unsigned)strtoul(strrchr(listener->name, ':') + 1, NULL, 10);
}

static int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t length = sizeof(value);
    cr_assert_eq(getsockopt(fd, level, name, &value, &length), 0);
    return value;
}

static bool is_readable(int fd, int ms)
{
    struct pollfd item = {.fd = fd, .events = POLLIN};
    return poll(&item, 1, ms) == 1;
}

/* A client gets through, and finds the listener not blocking, closed on exec and, over TCP, without delay. */
static void expect_serves(const struct listener *listener)
{
    struct socket_address address;
    cr_assert_eq(socket_address_of(&address, listener->fd), 0);
    int client = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_expect_eq(connect(client, &address.any, address.length), 0, "%s: %s", listener->name, strerror(errno));
    /* On a busy machine connect(2) may return before the listener has handled the last packet of the handshake. */
    cr_expect(is_readable(listener->fd, 10000), "%s: no connection", listener->name);
    int server = accept(listener->fd, NULL, NULL);
    cr_assert_geq(server, 0);
    cr_expect_eq(accept(listener->fd, NULL, NULL), -1);
    cr_expect(errno == EAGAIN, "%s", listener->name);
    cr_expect(fcntl(listener->fd, F_GETFD) & FD_CLOEXEC, "%s", listener->name);
    if (address.any.sa_family != AF_UNIX) {
        cr_expect_eq(option(server, IPPROTO_TCP, TCP_NODELAY), 1, "%s", listener->name);
    }
    close(server);
    close(client);
}

/* With port 0, the names with the real port in place of 0. */
Test(listeners, good)
{
    static const struct {
        const char *specs;
        size_t count;
        const char *names[4]; /* up to the port */
    } cases[] = {
        {"127.0.0.1:0", 1, {"127.0.0.1:"}},
        {"127.0.0.2:0 0.0.0.0:0", 2, {"127.0.0.2:", "0.0.0.0:"}},
        {"[::1]:0 [::]:0", 2, {"[::1]:", "[::]:"}},
        {"localhost:0", 2, {"127.0.0.1:", "[::1]:"}},
        {"*:0", 2, {"0.0.0.0:", "[::]:"}},
        {"unix:a 127.0.0.1:0 unix:b", 3, {"unix:", "127.0.0.1:", "unix:"}},
        {"localhost:0 *:0", 4, {"127.0.0.1:", "[::1]:", "0.0.0.0:", "[::]:"}},
    };
    unsigned before = open_descriptors();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct opened opened;
        if (lacks_ipv6(cases[i].specs)) {
            continue;
        }
        open_all(&opened, cases[i].specs);
        cr_assert_eq(opened.result, 0, "%s", opened.error);
        cr_assert_eq(opened.listeners.count, cases[i].count, "%s", cases[i].specs);
        for (size_t j = 0; j < cases[i].count; j++) {
            const struct listener *listener = &opened.listeners.items[j];
            cr_expect_arr_eq(listener->name, cases[i].names[j], strlen(cases[i].names[j]), "%s",
                             listener->name);
            cr_expect(listener->name[0] == 'u' || port_of(listener) != 0, "%s", listener->name);
            expect_serves(listener);
        }
        listeners_close(&opened.listeners);
        cr_expect_eq(opened.listeners.count, 0u);
        cr_expect_eq(open_descriptors(), before, "%s", cases[i].specs);
    }
    cr_expect(!exists("a") && !exists("b"));
}

Test(listeners, both_families_get_one_port)
{
    skip_without_ipv6();
    static const char *const specs[] = {"localhost:0", "*:0"};
    for (size_t i = 0; i < 2; i++) {
        struct opened opened;
        open_all(&opened, specs[i]);
        cr_assert_eq(opened.result, 0, "%s", opened.error);
        cr_expect_eq(port_of(&opened.listeners.items[0]), port_of(&opened.listeners.items[1]));
        listeners_close(&opened.listeners);
    }
}

/* [::] is IPv6 alone: the same port stays free for IPv4. Another program may use it there; hardly ten of them. */
Test(listeners, ipv6_leaves_ipv4_alone)
{
    skip_without_ipv6();
    struct opened four = {.result = -EADDRINUSE};
    for (int i = 0; i < 10 && four.result == -EADDRINUSE; i++) {
        struct opened six;
        char spec[32];
        open_all(&six, "[::]:0");
        cr_assert_eq(six.result, 0, "%s", six.error);
        cr_expect_eq(option(six.listeners.items[0].fd, IPPROTO_IPV6, IPV6_V6ONLY), 1);
        snprintf(spec, sizeof(spec), "0.0.0.0:%u", port_of(&six.listeners.items[0]));
        open_all(&four, spec);
        listeners_close(&six.listeners);
    }
    cr_expect_eq(four.result, 0, "%s", four.error);
    listeners_close(&four.listeners);
}

Test(listeners, name_of_a_unix_socket)
{
    struct opened opened;
    char name[128];
    open_all(&opened, "unix:a");
    snprintf(name, sizeof(name), "unix:%s/a", root);
    cr_assert_str_eq(opened.listeners.items[0].name, name);
    listeners_close(&opened.listeners);
}

/* Each fails, says so in the line that begins so, and leaves neither a descriptor nor a file. */
Test(listeners, failures)
{
    static const struct {
        const char *specs;
        int result;
        const char *error;
    } cases[] = {
        {"192.0.2.1:0", -EADDRNOTAVAIL, "cannot listen on 192.0.2.1:0: Cannot assign requested address"},
        {"[2001:db8::1]:0", -EADDRNOTAVAIL,
         "cannot listen on [2001:db8::1]:0: Cannot assign requested address"},
        {"[fe80::1%nowhere]:0", -ENODEV, "cannot listen on [fe80::1]:0: unknown interface nowhere"},
        {"[fe80::1%lo]:0", -EADDRNOTAVAIL,
         "cannot listen on [fe80::1%lo]:0: Cannot assign requested address"},
        {"unix:none/a", -ENOENT, "cannot listen on unix:/tmp/"},
        {"unix:plain", -ENOTSOCK, "cannot listen on unix:/tmp/"},
        {"127.0.0.1:0 unix:a 192.0.2.1:1", -EADDRNOTAVAIL, "cannot listen on 192.0.2.1:1: Cannot assign"},
        {"localhost:0 unix:a unix:a", -EADDRINUSE, "cannot listen on unix:/tmp/"},
    };
    fixture_tree_write(root, "/plain", "precious");
    unsigned before = open_descriptors();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct opened opened;
        if (lacks_ipv6(cases[i].specs)) {
            continue;
        }
        open_all(&opened, cases[i].specs);
        cr_expect_eq(opened.result, cases[i].result, "%s: %d", cases[i].specs, opened.result);
        cr_expect_arr_eq(opened.error, cases[i].error, strlen(cases[i].error), "%s", opened.error);
        cr_expect_eq(opened.listeners.count, 0u);
        cr_expect_eq(open_descriptors(), before, "%s", cases[i].specs);
        cr_expect_not(exists("a"), "%s", cases[i].specs);
    }
    cr_expect(exists("plain"));
}

Test(listeners, reason_for_a_path_that_is_no_socket)
{
    struct opened opened;
    fixture_tree_write(root, "/plain", "precious");
    open_all(&opened, "unix:plain");
    cr_assert_not_null(strstr(opened.error, "/plain: the file at this path is not a socket"), "%s",
                       opened.error);
}

Test(listeners, a_port_in_use)
{
    static const char *const hosts[] = {"127.0.0.1", "localhost", "*", "0.0.0.0"};
    struct opened first;
    open_all(&first, "127.0.0.1:0");
    unsigned before = open_descriptors();
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        struct opened second;
        char spec[32];
        snprintf(spec, sizeof(spec), "%s:%u", hosts[i], port_of(&first.listeners.items[0]));
        open_all(&second, spec);
        cr_expect_eq(second.result, -EADDRINUSE, "%s", spec);
        cr_expect_not_null(strstr(second.error, ": Address already in use"), "%s", second.error);
        cr_expect_eq(open_descriptors(), before);
    }
    expect_serves(&first.listeners.items[0]);
    listeners_close(&first.listeners);
}

/* Half of localhost is taken: the other half does not stay open, and the line names the half. */
Test(listeners, an_ipv6_port_in_use)
{
    skip_without_ipv6();
    struct opened first;
    struct opened second;
    char spec[32];
    char error[128];
    open_all(&first, "[::1]:0");
    unsigned before = open_descriptors();
    unsigned port = port_of(&first.listeners.items[0]);
    snprintf(spec, sizeof(spec), "localhost:%u", port);
    snprintf(error, sizeof(error), "cannot listen on [::1]:%u: Address already in use", port);
    open_all(&second, spec);
    cr_expect_eq(second.result, -EADDRINUSE);
    cr_expect_str_eq(second.error, error);
    cr_expect_eq(open_descriptors(), before);
    listeners_close(&first.listeners);
}

Test(listeners, a_closed_port_is_free_at_once)
{
    struct opened first;
    struct opened second;
    char spec[32];
    open_all(&first, "127.0.0.1:0");
    expect_serves(&first.listeners.items[0]);
    snprintf(spec, sizeof(spec), "127.0.0.1:%u", port_of(&first.listeners.items[0]));
    listeners_close(&first.listeners);
    open_all(&second, spec);
    cr_assert_eq(second.result, 0, "%s", second.error);
    listeners_close(&second.listeners);
}

Test(listeners, without_ipv6_two_families_are_one)
{
    static const struct {
        int socket_error;
        int bind_error;
    } machines[] = {{EAFNOSUPPORT, 0}, {0, EADDRNOTAVAIL}};
    for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
        struct opened opened;
        unsigned before = open_descriptors();
        refusal.socket_ipv6 = machines[i].socket_error;
        refusal.bind_ipv6 = machines[i].bind_error;
        refusal.bind_ipv6_times = machines[i].bind_error != 0 ? -1 : 0;
        open_all(&opened, "localhost:0 *:0");
        cr_assert_eq(opened.result, 0, "%s", opened.error);
        cr_assert_eq(opened.listeners.count, 2u);
        cr_expect_arr_eq(opened.listeners.items[0].name, "127.0.0.1:", 10);
        cr_expect_arr_eq(opened.listeners.items[1].name, "0.0.0.0:", 8);
        listeners_close(&opened.listeners);
        open_all(&opened, "[::1]:0");
        cr_expect_lt(opened.result, 0);
        cr_expect_eq(open_descriptors(), before);
    }
}

/* The port that is free for IPv4 is taken for IPv6, three times, then always. */
Test(listeners, another_free_port_is_tried)
{
    skip_without_ipv6();
    struct opened opened;
    unsigned before = open_descriptors();
    refusal.bind_ipv6 = EADDRINUSE;
    refusal.bind_ipv6_times = 3;
    open_all(&opened, "*:0");
    cr_assert_eq(opened.result, 0, "%s", opened.error);
    cr_assert_eq(opened.listeners.count, 2u);
    cr_expect_eq(port_of(&opened.listeners.items[0]), port_of(&opened.listeners.items[1]));
    listeners_close(&opened.listeners);
    refusal.bind_ipv6_times = -1;
    open_all(&opened, "*:0");
    cr_expect_eq(opened.result, -EADDRINUSE);
    cr_expect_eq(open_descriptors(), before);
}

Test(listeners, without_descriptors)
{
    static const char *const specs[] = {"127.0.0.1:0", "*:0", "[::1]:0", "unix:a"};
    refusal.socket_any = EMFILE;
    for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
        struct opened opened;
        open_all(&opened, specs[i]);
        cr_expect_eq(opened.result, -EMFILE, "%s", specs[i]);
        cr_expect_not_null(strstr(opened.error, ": Too many open files"), "%s", opened.error);
    }
    cr_expect_not(exists("a"));
}

Test(listeners, the_longest_list)
{
    skip_without_ipv6();
    struct opened opened;
    char specs[LISTENERS_SPEC_MAX * sizeof("localhost:0") + 1];
    for (size_t i = 0; i < LISTENERS_SPEC_MAX; i++) {
        size_t at = i * sizeof("localhost:0");
        snprintf(specs + at, sizeof(specs) - at, "localhost:0 ");
    }
    open_all(&opened, specs);
    cr_assert_eq(opened.result, 0, "%s", opened.error);
    cr_assert_eq(opened.listeners.count, (size_t)LISTENERS_MAX);
    listeners_close(&opened.listeners);
}

Test(listeners, unlink_leaves_the_socket_open)
{
    struct opened opened;
    struct socket_address address;
    open_all(&opened, "unix:a 127.0.0.1:0");
    const struct listener *listener = &opened.listeners.items[0];
    cr_assert_eq(socket_address_of(&address, listener->fd), 0);
    int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(connect(client, &address.any, address.length), 0);
    listeners_unlink(&opened.listeners);
    cr_expect_not(exists("a"));
    int server = accept(listener->fd, NULL, NULL);
    cr_expect_geq(server, 0);
    fixture_tree_write(root, "/a", "somebody else's");
    listeners_unlink(&opened.listeners);
    listeners_close(&opened.listeners);
    cr_expect(exists("a"));
    close(server);
    close(client);
}

Test(listeners, close_of_an_empty_list)
{
    static struct listeners listeners;
    listeners_close(&listeners);
    listeners_unlink(&listeners);
    cr_assert_eq(listeners.count, 0u);
}

/* A client that does not wait for the end of the handshake. */
static int begin_to_connect(const struct listener *listener)
{
    struct socket_address address;
    cr_assert_eq(socket_address_of(&address, listener->fd), 0);
    int client = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    cr_assert(connect(client, &address.any, address.length) == 0 || errno == EINPROGRESS);
    return client;
}

/* No SYN after it makes a connection. Where `locked`, the kernel permits no socket filter, as for a user without rights. */
static void check_admits_no_more(const char *spec, int locked)
{
    struct opened opened;
    int clients[20];
    open_all(&opened, spec);
    cr_assert_eq(opened.result, 0, "%s", opened.error);
    const struct listener *listener = &opened.listeners.items[0];
    cr_assert_eq(setsockopt(listener->fd, SOL_SOCKET, SO_LOCK_FILTER, &locked, sizeof(locked)), 0);
    int early = begin_to_connect(listener);
    cr_expect(is_readable(listener->fd, 10000), "%s: no connection before", spec);
    listeners_admit_no_more(&opened.listeners);
    int accepted = accept(listener->fd, NULL, NULL);
    cr_expect_geq(accepted, 0, "%s: the one before is lost", spec);
    for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
        clients[i] = begin_to_connect(listener);
    }
    cr_expect_not(is_readable(listener->fd, 100), "%s, locked %d: a connection", spec, locked);
    for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
        close(clients[i]);
    }
    close(accepted);
    close(early);
    listeners_close(&opened.listeners);
}

Test(listeners, no_more_are_admitted)
{
    for (int locked = 0; locked < 2; locked++) {
        check_admits_no_more("127.0.0.1:0", locked);
        if (!lacks_ipv6("*")) {
            check_admits_no_more("[::1]:0", locked);
        }
    }
}

Test(listeners, data_of_an_accepted_connection_is_admitted)
{
    struct opened opened;
    int least = 255;
    open_all(&opened, "127.0.0.1:0");
    int client = begin_to_connect(&opened.listeners.items[0]);
    cr_assert(is_readable(opened.listeners.items[0].fd, 10000));
    int accepted = accept(opened.listeners.items[0].fd, NULL, NULL);
    cr_assert_eq(setsockopt(accepted, IPPROTO_IP, IP_MINTTL, &least, sizeof(least)), 0);
    cr_assert_eq(send(client, "x", 1, 0), 1);
    cr_expect_not(is_readable(accepted, 20), "the kernel ignores no data: the test tests nothing");
    listener_admit_data(accepted);
    cr_expect(is_readable(accepted, 10000), "the data did not come again");
    close(accepted);
    close(client);
    listeners_close(&opened.listeners);
}
