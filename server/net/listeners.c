/* SPDX-License-Identifier: MIT */
/* Opens, takes over and closes listening sockets. */
#include "server/net/listeners.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/net/systemd.h"

#define FREE_PORT_ATTEMPTS 16
#define TTL_MAX            255 /* few systems send it */

/* The caller's buffer for an error message. */
struct message {
    char *error;
    size_t size;
};

static int refuse(const struct message *message, const char *name, const char *reason, int error)
{
    snprintf(message->error, message->size, "cannot listen on %s: %s", name, reason);
    return error;
}

/* A socket accepted from this one inherits TCP_NODELAY, so that it costs nothing per connection. */
static int prepare_tcp(int fd, int family)
{
    int on = 1;
    bool done = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0 &&
                (family != AF_INET6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == 0);
    return done ? 0 : -errno;
}

/* Sets the address to the one that was bound. Returns the descriptor or a negative errno. */
static int open_tcp(struct socket_address *address, int backlog)
{
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -errno;
    }
    int error = prepare_tcp(fd, address->any.sa_family);
    if (error == 0 && (bind(fd, &address->any, address->length) != 0 || listen(fd, backlog) != 0)) {
        error = -errno;
    }
    if (error == 0) {
        error = socket_address_of(address, fd);
    }
    if (error != 0) {
        close(fd);
    }
    return error != 0 ? error : fd;
}

static bool is_missing_ipv6(const struct socket_address *address, int error)
{
    return address->any.sa_family == AF_INET6 && (error == -EAFNOSUPPORT || error == -EADDRNOTAVAIL);
}

static void add_listener(struct listeners *listeners, const struct socket_address *address, int fd)
{
    struct listener *listener = &listeners->items[listeners->count++];
    *listener = (struct listener){.fd = fd};
    socket_address_format(address, listener->name);
}

/* Closes all but the first `count`. */
static void close_from(struct listeners *listeners, size_t count)
{
    while (listeners->count > count) {
        struct listener *listener = &listeners->items[--listeners->count];
        unix_socket_unlink(listener->name + strlen("unix:"), &listener->file);
        if (listener->own) {
            shutdown(listener->fd, SHUT_RD);
        }
        close(listener->fd);
    }
}

/* Opens the addresses on one port; if that is 0, on the free port that the first one gets. After an error, which is
 * that of addresses[*failed], no socket of this call is open. */
static int open_addresses(struct listeners *listeners, const struct socket_address *addresses, size_t count,
                          int backlog, size_t *failed)
{
    size_t before = listeners->count;
    in_port_t port = socket_address_port(&addresses[0]);
    for (size_t i = 0; i < count; i++) {
        struct socket_address address = addresses[i];
        socket_address_set_port(&address, port);
        int fd = open_tcp(&address, backlog);
        if (fd >= 0) {
            add_listener(listeners, &address, fd);
            listeners->items[listeners->count - 1].own = true;
            port = socket_address_port(&address);
        } else if (i == 0 || !is_missing_ipv6(&address, fd)) {
            close_from(listeners, before);
            *failed = i;
            return fd;
        }
    }
    return 0;
}

/* A free port of one address may be in use at the other: then the next attempt takes another port. */
static int open_ports(struct listeners *listeners, const struct socket_address *addresses, size_t count,
                      int backlog, const struct message *message)
{
    bool any_port = socket_address_port(&addresses[0]) == 0;
    int error = -EADDRINUSE;
    size_t failed = 0;
    for (int i = 0; i < (any_port ? FREE_PORT_ATTEMPTS : 1) && error == -EADDRINUSE; i++) {
        error = open_addresses(listeners, addresses, count, backlog, &failed);
    }
    if (error != 0) {
        char name[SOCKET_ADDRESS_TEXT_SIZE];
        socket_address_format(&addresses[failed], name);
        refuse(message, name, strerror(-error), error);
    }
    return error;
}

static int open_pair(struct listeners *listeners, in_addr_t ipv4, const struct in6_addr *ipv6, in_port_t port,
                     int backlog, const struct message *message)
{
    const struct socket_address addresses[] = {
        socket_address_ipv4((struct in_addr){htonl(ipv4)}, port),
        socket_address_ipv6(*ipv6, port, 0),
    };
    return open_ports(listeners, addresses, 2, backlog, message);
}

static int open_ipv6(struct listeners *listeners, const struct listen_spec *spec, int backlog,
                     const struct message *message)
{
    unsigned zone = spec->zone[0] != '\0' ? if_nametoindex(spec->zone) : 0;
    struct socket_address address = socket_address_ipv6(spec->ipv6, spec->port, zone);
    if (spec->zone[0] != '\0' && zone == 0) {
        char name[SOCKET_ADDRESS_TEXT_SIZE];
        char reason[sizeof("unknown interface ") + IF_NAMESIZE];
        int error = errno;
        socket_address_format(&address, name);
        snprintf(reason, sizeof(reason), "unknown interface %s", spec->zone);
        return refuse(message, name, error == ENODEV ? reason : strerror(error), -error);
    }
    return open_ports(listeners, &address, 1, backlog, message);
}

static int open_unix(struct listeners *listeners, const struct listen_spec *spec, int backlog,
                     const struct message *message)
{
    struct listener *listener = &listeners->items[listeners->count];
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    *listener = (struct listener){.fd = fd};
    snprintf(listener->name, sizeof(listener->name), "unix:%s", spec->path);
    int error = fd < 0 ? -errno : unix_socket_listen(fd, spec->path, backlog, &listener->file);
    if (error == 0) {
        listener->own = true;
        listeners->count++;
        return 0;
    }
    if (fd >= 0) {
        close(fd);
    }
    return refuse(message, listener->name,
                  error == -ENOTSOCK ? "the file at this path is not a socket" : strerror(-error), error);
}

static int open_spec(struct listeners *listeners, const struct listen_spec *spec, int backlog,
                     const struct message *message)
{
    struct socket_address address;
    switch (spec->kind) {
    case LISTEN_IPV4:
        address = socket_address_ipv4(spec->ipv4, spec->port);
        return open_ports(listeners, &address, 1, backlog, message);
    case LISTEN_IPV6: return open_ipv6(listeners, spec, backlog, message);
    case LISTEN_LOCALHOST:
        return open_pair(listeners, INADDR_LOOPBACK, &in6addr_loopback, spec->port, backlog, message);
    case LISTEN_ANY: return open_pair(listeners, INADDR_ANY, &in6addr_any, spec->port, backlog, message);
    case LISTEN_UNIX: return open_unix(listeners, spec, backlog, message);
    }
    __builtin_unreachable();
}

int listeners_open(struct listeners *listeners, const struct listen_spec *specs, size_t count, int backlog,
                   char *error, size_t size)
{
    const struct message message = {.error = error, .size = size};
    listeners->count = 0;
    for (size_t i = 0; i < count; i++) {
        int result = open_spec(listeners, &specs[i], backlog, &message);
        if (result != 0) {
            listeners_close(listeners);
            return result;
        }
    }
    return 0;
}

static bool socket_option_is(int fd, int option, int wanted)
{
    int value;
    socklen_t length = sizeof(value);
    return getsockopt(fd, SOL_SOCKET, option, &value, &length) == 0 && value == wanted;
}

/* Sets up a passed descriptor like one of listeners_open. False if it is not a listening stream socket. */
static bool adopt(struct listeners *listeners, int fd)
{
    struct socket_address address;
    char name[SOCKET_ADDRESS_TEXT_SIZE];
    int flags = fcntl(fd, F_GETFL);
    int on = 1;
    if (flags < 0 || !socket_option_is(fd, SO_TYPE, SOCK_STREAM) || !socket_option_is(fd, SO_ACCEPTCONN, 1) ||
        socket_address_of(&address, fd) != 0 || !socket_address_format(&address, name)) {
        return false;
    }
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
        return false;
    }
    if (address.any.sa_family != AF_UNIX) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
    add_listener(listeners, &address, fd);
    return true;
}

int listeners_inherit(struct listeners *listeners, char *error, size_t size)
{
    int count = systemd_sockets(LISTENERS_MAX, error, size);
    listeners->count = 0;
    for (int i = 0; i < count; i++) {
        if (adopt(listeners, SYSTEMD_FIRST_DESCRIPTOR + i)) {
            continue;
        }
        snprintf(error, size, "the descriptor %d passed in LISTEN_FDS is not a listening stream socket",
                 SYSTEMD_FIRST_DESCRIPTOR + i);
        for (int j = 0; j < count; j++) {
            close(SYSTEMD_FIRST_DESCRIPTOR + j);
        }
        listeners->count = 0;
        return -EINVAL;
    }
    return count;
}

unsigned listeners_index(const struct listeners *listeners, int fd)
{
    unsigned index = 0;
    while (listeners->items[index].fd != fd) {
        index++;
    }
    return index;
}

bool listener_has_queue(int fd)
{
    struct pollfd socket = {.fd = fd, .events = POLLIN};
    return poll(&socket, 1, 0) == 1;
}

/* For a listening TCP socket the kernel returns the length of its queue in this field, which is named for other
 * sockets. */
int listener_queued(int fd)
{
    struct tcp_info info;
    socklen_t length = sizeof(info);
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 ? (int)info.tcpi_unacked : -1;
}

struct listeners_queue listeners_queue(const struct listeners *listeners)
{
    struct listeners_queue queue = {.count = 0};
    for (size_t i = 0; i < listeners->count; i++) {
        const struct listener *listener = &listeners->items[i];
        if (listener->own && listener_has_queue(listener->fd)) {
            int queued = listener_queued(listener->fd);
            queue.count += queued >= 0 ? (unsigned)queued : 1;
            queue.least |= queued < 0;
        }
    }
    return queue;
}

/* Drops each SYN without ACK. A socket filter on a TCP socket sees the packet from the TCP header on (RFC 9293,
 * 3.1). */
static bool ignore_syn(int fd)
{
    enum { FLAGS = 13, SYN = 0x02, ACK = 0x10 };
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FLAGS),      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, SYN | ACK),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYN, 0, 1), BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
    };
    struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0;
}

/* The least TTL or hop limit of packets for this socket (RFC 5082): a SYN with less is dropped. The setting of the other
 * address family is an error, which does not matter. */
static bool set_least_ttl(int fd, int ttl)
{
    bool ipv4 = setsockopt(fd, IPPROTO_IP, IP_MINTTL, &ttl, sizeof(ttl)) == 0;
    bool ipv6 = setsockopt(fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT, &ttl, sizeof(ttl)) == 0;
    return ipv4 || ipv6;
}

void listeners_admit_no_more(struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++) {
        struct listener *listener = &listeners->items[i];
        bool local = strncmp(listener->name, "unix:", strlen("unix:")) == 0;
        if (!listener->own) {
            continue;
        }
        if (local || (!ignore_syn(listener->fd) && !set_least_ttl(listener->fd, TTL_MAX))) {
            listen(listener->fd, 0);
        }
    }
}

void listener_admit_data(int fd)
{
    set_least_ttl(fd, 0);
}

void listeners_unlink(struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++) {
        struct listener *listener = &listeners->items[i];
        unix_socket_unlink(listener->name + strlen("unix:"), &listener->file);
    }
}

void listeners_close(struct listeners *listeners)
{
    close_from(listeners, 0);
}
