/* SPDX-License-Identifier: MIT */
/* A socket's address of any family, and how it is written. */
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

/* "unix:" and a whole path, or "unix:@" and a whole abstract name, with the NUL; every IP address is shorter.
 */
#define SOCKET_ADDRESS_TEXT_SIZE (sizeof("unix:") + sizeof(((struct sockaddr_un *)NULL)->sun_path))

/* Port in network order. */
struct socket_address socket_address_ipv4(struct in_addr host, in_port_t port);
struct socket_address socket_address_ipv6(struct in6_addr host, in_port_t port, unsigned zone);

/* The port of an IP address, in network order. */
in_port_t socket_address_port(const struct socket_address *address);

void socket_address_set_port(struct socket_address *address, in_port_t port);

/* The address the socket is bound to; 0 or a negative errno. */
int socket_address_of(struct socket_address *address, int fd);

/* Writes "127.0.0.1:8080", "[::1]:8080", "[fe80::1%eth0]:8080", "unix:PATH" or, abstract, "unix:@NAME", with
 * ? for control bytes of a name. False if the address is of another family. */
bool socket_address_format(const struct socket_address *address, char text[SOCKET_ADDRESS_TEXT_SIZE]);

#endif
