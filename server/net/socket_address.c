/* SPDX-License-Identifier: MIT */
/* Makes socket addresses and formats them. */
#include "server/net/socket_address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct socket_address socket_address_ipv4(struct in_addr host, in_port_t port)
{
    return (struct socket_address){.length = sizeof(struct sockaddr_in),
                                   .ipv4 = {.sin_family = AF_INET, .sin_addr = host, .sin_port = port}};
}

struct socket_address socket_address_ipv6(struct in6_addr host, in_port_t port, unsigned zone)
{
    return (struct socket_address){
        .length = sizeof(struct sockaddr_in6),
        .ipv6 = {.sin6_family = AF_INET6, .sin6_addr = host, .sin6_port = port, .sin6_scope_id = zone}};
}

in_port_t socket_address_port(const struct socket_address *address)
{
    return address->any.sa_family == AF_INET6 ? address->ipv6.sin6_port : address->ipv4.sin_port;
}

void socket_address_set_port(struct socket_address *address, in_port_t port)
{
    if (address->any.sa_family == AF_INET6) {
        address->ipv6.sin6_port = port;
    } else {
        address->ipv4.sin_port = port;
    }
}

int socket_address_of(struct socket_address *address, int fd)
{
    address->length = sizeof(address->storage);
    return getsockname(fd, &address->any, &address->length) == 0 ? 0 : -errno;
}

static void format_ipv4(const struct sockaddr_in *address, char *text)
{
    char host[INET_ADDRSTRLEN] = "";
    inet_ntop(AF_INET, &address->sin_addr, host, sizeof(host));
    snprintf(text, SOCKET_ADDRESS_TEXT_SIZE, "%s:%u", host, ntohs(address->sin_port));
}

static void format_ipv6(const struct sockaddr_in6 *address, char *text)
{
    char host[INET6_ADDRSTRLEN] = "";
    char zone[IF_NAMESIZE];
    inet_ntop(AF_INET6, &address->sin6_addr, host, sizeof(host));
    bool zoned = address->sin6_scope_id != 0 && if_indextoname(address->sin6_scope_id, zone) != NULL;
    snprintf(text, SOCKET_ADDRESS_TEXT_SIZE, "[%s%s%s]:%u", host, zoned ? "%" : "", zoned ? zone : "",
             ntohs(address->sin6_port));
}

/* A path ends at a NUL or with the address. An abstract name begins with a NUL and may contain others. */
static void format_local(const struct socket_address *address, char *text)
{
    const char *name = address->local.sun_path;
    size_t length = address->length - offsetof(struct sockaddr_un, sun_path);
    bool abstract = length > 0 && name[0] == '\0';
    if (!abstract) {
        length = strnlen(name, length);
    }
    char *out = stpcpy(text, "unix:");
    for (size_t i = 0; i < length; i++) {
        *out++ = (char)(abstract && i == 0 ? '@' : iscntrl((unsigned char)name[i]) ? '?' : name[i]);
    }
    *out = '\0';
}

bool socket_address_format(const struct socket_address *address, char text[SOCKET_ADDRESS_TEXT_SIZE])
{
    switch (address->any.sa_family) {
    case AF_INET: format_ipv4(&address->ipv4, text); return true;
    case AF_INET6: format_ipv6(&address->ipv6, text); return true;
    case AF_UNIX: format_local(address, text); return true;
    default: return false;
    }
}
