/* SPDX-License-Identifier: MIT */
/* Reads addresses; names are not looked up. */
#include "loadtest/swarm/settings/address.h"

#include <arpa/inet.h>
#include <string.h>

#include "common/base/number.h"
#include "common/base/span.h"

#define UNIX_PREFIX "unix:"

static bool parse_local(struct address *address, const char *path, size_t length)
{
    struct sockaddr_un *local = &address->local;
    bool abstract = length > 0 && path[0] == '@';
    if (length <= (abstract ? 1u : 0u) || length >= sizeof(local->sun_path)) {
        return false;
    }
    *address = (struct address){.local = {.sun_family = AF_UNIX}};
    memcpy(local->sun_path, path, length);
    if (abstract) {
        local->sun_path[0] = '\0';
    }
    address->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (abstract ? 0 : 1));
    return true;
}

bool address_parse_host(struct address *address, const char *text, size_t length)
{
    char host[INET6_ADDRSTRLEN];
    if (length >= sizeof(host)) {
        return false;
    }
    memcpy(host, text, length);
    host[length] = '\0';
    *address = (struct address){.length = sizeof(address->ipv4), .ipv4 = {.sin_family = AF_INET}};
    if (inet_pton(AF_INET, host, &address->ipv4.sin_addr) == 1) {
        return true;
    }
    *address = (struct address){.length = sizeof(address->ipv6), .ipv6 = {.sin6_family = AF_INET6}};
    return inet_pton(AF_INET6, host, &address->ipv6.sin6_addr) == 1;
}

bool address_parse_target(struct address *address, const char *text, size_t length)
{
    size_t prefix = strlen(UNIX_PREFIX);
    if (length > prefix && memcmp(text, UNIX_PREFIX, prefix) == 0) {
        return parse_local(address, text + prefix, length - prefix);
    }
    const char *colon = memrchr(text, ':', length);
    uint64_t port;
    if (colon == NULL ||
        number_parse_u64(colon + 1, (size_t)(text + length - colon - 1), UINT16_MAX, &port) != 0 ||
        port == 0) {
        return false;
    }
    struct span host = span_between(text, colon);
    bool bracketed = host.length > 2 && host.data[0] == '[' && host.data[host.length - 1] == ']';
    if (bracketed) {
        host = span_between(host.data + 1, host.data + host.length - 1);
    } else if (span_equal(host, SPAN_LITERAL("localhost"))) {
        host = SPAN_LITERAL("127.0.0.1");
    }
    if (!address_parse_host(address, host.data, host.length) ||
        bracketed != (address->any.sa_family == AF_INET6)) {
        return false;
    }
    if (bracketed) {
        address->ipv6.sin6_port = htons((in_port_t)port);
    } else {
        address->ipv4.sin_port = htons((in_port_t)port);
    }
    return true;
}

struct address address_loopback(unsigned number)
{
    return (struct address){
        .length = sizeof(struct sockaddr_in),
        .ipv4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl((INADDR_LOOPBACK & ~255u) | number)}};
}

bool address_is_loopback(const struct address *address)
{
    return address->any.sa_family == AF_INET && ntohl(address->ipv4.sin_addr.s_addr) >> 24 == 127;
}
