/* SPDX-License-Identifier: MIT */
/* The address of a socket of any family, and its text. Any thread. */
#ifndef ECHOD_SERVER_NET_SOCKET_ADDRESS_H
#define ECHOD_SERVER_NET_SOCKET_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

struct socket_address {
    socklen_t length;
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
        struct sockaddr_un local;
        struct sockaddr_storage storage;
    };
};

/* Bytes of "unix:" with the longest path, or "unix:@" with the longest abstract name, and the NUL. IP addresses are
 * shorter. */
#define SOCKET_ADDRESS_TEXT_SIZE (sizeof("unix:") + sizeof(((struct sockaddr_un *)NULL)->sun_path))

/* Return an address made of its parts. `port` is in network byte order; `zone` is the index of the interface of a
 * link-local address, else 0. */
struct socket_address socket_address_ipv4(struct in_addr host, in_port_t port);
struct socket_address socket_address_ipv6(struct in6_addr host, in_port_t port, unsigned zone);

/* Returns the port of an IP address, in network byte order. */
in_port_t socket_address_port(const struct socket_address *address);

/* Sets the port of an IP address, in network byte order. */
void socket_address_set_port(struct socket_address *address, in_port_t port);

/* Sets `*address` to the address to which the socket is bound. Returns 0 or a negative errno. */
int socket_address_of(struct socket_address *address, int fd);

/* Writes "127.0.0.1:8080", "[::1]:8080", "[fe80::1%eth0]:8080", "unix:PATH" or, for an abstract name, "unix:@NAME".
 * Control characters of a path or name become '?'. Returns false and writes nothing if the address has another
 * family. */
bool socket_address_format(const struct socket_address *address, char text[SOCKET_ADDRESS_TEXT_SIZE]);

#endif
