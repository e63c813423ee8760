/* SPDX-License-Identifier: MIT */
/* A numeric address to connect to, or to connect from. */
#ifndef ECHOD_LOADTEST_SWARM_SETTINGS_ADDRESS_H
#define ECHOD_LOADTEST_SWARM_SETTINGS_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

struct address {
    socklen_t length;
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
        struct sockaddr_un local;
    };
};

#define ADDRESS_TARGET_FORMS \
    "ADDRESS:PORT with a numeric address ([...]:PORT if IPv6), localhost:PORT, unix:PATH"

/* "127.0.0.1:8080", "[::1]:8080", "localhost:8080" (127.0.0.1), "unix:PATH" or, abstract, "unix:@NAME". */
bool address_parse_target(struct address *address, const char *text, size_t length);

/* "127.0.0.1" or "::1"; the port is left to the kernel. */
bool address_parse_host(struct address *address, const char *text, size_t length);

/* 127.0.0.`number`, without a port; 1 to 254. */
struct address address_loopback(unsigned number);

/* Whether it is in 127.0.0.0/8. */
bool address_is_loopback(const struct address *address);

#endif
