/* SPDX-License-Identifier: MIT */
/* Sockets taken over from a service manager: in a child whose descriptors from 3 on are what was passed. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/net/listeners.h"
#include "server/net/systemd.h"
#include "tests/unit/support/fixture_tree.h"

#define BACKLOG 16

static char root[FIXTURE_TREE_SIZE];

static void make_root(void)
{
    fixture_tree_new(root);
}

static void remove_root(void)
{
    fixture_tree_free(root);
}

TestSuite(listeners_inherit, .init = make_root, .fini = remove_root);

static bool has_no_delay(int fd)
{
    int value = 0;
    socklen_t length = sizeof(value);
    return getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, &length) == 0 && value != 0;
}

enum passed {
    PASSED_TCP,
    PASSED_IPV6,
    PASSED_UNIX,
    PASSED_ABSTRACT,
    PASSED_BOUND,
    PASSED_UDP,
    PASSED_FILE,
    PASSED_NONE
};

static int make_passed(enum passed passed)
{
    struct socket_address address = socket_address_ipv4((struct in_addr){htonl(INADDR_LOOPBACK)}, 0);
    int type = passed == PASSED_UDP ? SOCK_DGRAM : SOCK_STREAM;
    switch (passed) {
    case PASSED_NONE: return -1;
    case PASSED_FILE: return open("/dev/null", O_RDONLY);
    case PASSED_IPV6: address = socket_address_ipv6(in6addr_loopback, 0, 0); break;
    case PASSED_UNIX:
    case PASSED_ABSTRACT:
        address =
            (struct socket_address){.length = sizeof(struct sockaddr_un), .local = {.sun_family = AF_UNIX}};
        if (passed == PASSED_UNIX) {
            snprintf(address.local.sun_path, sizeof(address.local.sun_path), "%s/passed", root);
        } else {
            int length = snprintf(address.local.sun_path + 1, 64, "echod-test-%d", getpid());
            address.length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
        }
        break;
    case PASSED_TCP:
    case PASSED_BOUND:
    case PASSED_UDP: break;
    }
    int fd = socket(address.any.sa_family, type, 0);
    if (bind(fd, &address.any, address.length) != 0 || (passed < PASSED_BOUND && listen(fd, BACKLOG) != 0)) {
        return -1;
    }
    return fd;
}

/* Containers often have no ::1. */
static bool lacks_ipv6(const enum passed passed[4])
{
    for (int i = 0; i < 4; i++) {
        int fd = passed[i] == PASSED_IPV6 ? make_passed(PASSED_IPV6) : 0;
        if (fd < 0) {
            return true;
        }
        if (fd > 0) {
            close(fd);
        }
    }
    return false;
}

#define REQUIRE(condition)                                             \
    do {                                                               \
        if (!(condition)) {                                            \
            dprintf(2, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            return 1;                                                  \
        }                                                              \
    } while (0)

/* Ends the child as another program: a memory checker would take what Criterion's threads hold for lost,
 * since they did not come along. */
static void end_child(int failed)
{
    const char *program = failed ? "false" : "true";
    execlp(program, program, (char *)NULL);
    _exit(1);
}

/* Runs in the child; 0 if all is well. */
static int inherit(const enum passed *passed, const char *const *names, int expected)
{
    struct listeners listeners;
    char error[256] = "";
    char text[16];
    int count = 0;
    for (; names[count] != NULL; count++) {
        close(SYSTEMD_FIRST_DESCRIPTOR + count);
        int fd = make_passed(passed[count]);
        if (fd >= 0 && fd != SYSTEMD_FIRST_DESCRIPTOR + count) {
            dup2(fd, SYSTEMD_FIRST_DESCRIPTOR + count);
            close(fd);
        }
    }
    snprintf(text, sizeof(text), "%d", count);
    setenv("LISTEN_FDS", text, 1);
    snprintf(text, sizeof(text), "%d", getpid());
    setenv("LISTEN_PID", text, 1);
    REQUIRE(listeners_inherit(&listeners, error, sizeof(error)) == expected);
    if (expected < 0) {
        REQUIRE(strstr(error, " passed in LISTEN_FDS is not a listening stream socket") != NULL);
        for (int i = 0; i < count; i++) {
            REQUIRE(fcntl(SYSTEMD_FIRST_DESCRIPTOR + i, F_GETFD) == -1);
        }
        return 0;
    }
    REQUIRE(listeners.count == (size_t)count && getenv("LISTEN_FDS") == NULL);
    for (int i = 0; i < count; i++) {
        REQUIRE(listeners.items[i].fd == SYSTEMD_FIRST_DESCRIPTOR + i);
        REQUIRE(strncmp(listeners.items[i].name, names[i], strlen(names[i])) == 0);
        REQUIRE(fcntl(listeners.items[i].fd, F_GETFD) == FD_CLOEXEC);
        REQUIRE((fcntl(listeners.items[i].fd, F_GETFL) & O_NONBLOCK) != 0);
        REQUIRE(passed[i] >= PASSED_UNIX || has_no_delay(listeners.items[i].fd));
    }
    listeners_close(&listeners);
    return 0;
}

Test(listeners_inherit, passed)
{
    static const struct {
        enum passed passed[4];
        const char *names[5];
        int result;
    } cases[] = {
        {{PASSED_TCP}, {"127.0.0.1:"}, 1},
        {{PASSED_TCP, PASSED_IPV6, PASSED_ABSTRACT}, {"127.0.0.1:", "[::1]:", "unix:@echod-test-"}, 3},
        {{PASSED_UNIX}, {"unix:/tmp/"}, 1},
        {{PASSED_TCP, PASSED_BOUND}, {"", ""}, -EINVAL},
        {{PASSED_UDP}, {""}, -EINVAL},
        {{PASSED_FILE}, {""}, -EINVAL},
        {{PASSED_NONE}, {""}, -EINVAL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int status;
        if (lacks_ipv6(cases[i].passed)) {
            continue;
        }
        pid_t child = fork();
        if (child == 0) {
            end_child(inherit(cases[i].passed, cases[i].names, cases[i].result));
        }
        cr_assert_eq(waitpid(child, &status, 0), child);
        cr_expect_eq(status, 0, "row %zu: %x", i, (unsigned)status);
    }
    char path[FIXTURE_TREE_SIZE + 16];
    struct stat status;
    snprintf(path, sizeof(path), "%s/passed", root);
    cr_expect_eq(lstat(path, &status), 0, "its file belongs to who passed it");
}

Test(listeners_inherit, nothing_to_inherit)
{
    struct listeners listeners;
    char error[64] = "";
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    cr_assert_eq(listeners_inherit(&listeners, error, sizeof(error)), 0);
    cr_assert_eq(listeners.count, 0u);
}
