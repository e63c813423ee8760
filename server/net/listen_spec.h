/* SPDX-License-Identifier: MIT */
/* The value of a --listen flag: the addresses and port, or the path, to listen on. */
#ifndef ECHOD_SERVER_NET_LISTEN_SPEC_H
#define ECHOD_SERVER_NET_LISTEN_SPEC_H

#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

enum listen_kind {
    LISTEN_IPV4,      /* 127.0.0.1:8080 */
    LISTEN_IPV6,      /* [::1]:8080, [fe80::1%eth0]:8080; [::]:8080 is IPv6 only */
    LISTEN_LOCALHOST, /* localhost:8080: 127.0.0.1 and ::1 */
    LISTEN_ANY,       /* *:8080: 0.0.0.0 and :: */
    LISTEN_UNIX       /* unix:PATH */
};

/* A plain value, without pointers. Port and addresses are in network byte order. */
struct listen_spec {
    enum listen_kind kind;
    in_port_t port;         /* 0: any free port; unused with LISTEN_UNIX */
    struct in_addr ipv4;    /* LISTEN_IPV4 */
    struct in6_addr ipv6;   /* LISTEN_IPV6 */
    char zone[IF_NAMESIZE]; /* LISTEN_IPV6: the interface of a link-local address, or empty */
    char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)]; /* LISTEN_UNIX */
};

/* The forms of a specification, for error messages. */
#define LISTEN_SPEC_FORMS "ADDRESS:PORT, [ADDRESS]:PORT, localhost:PORT, *:PORT or unix:PATH"

/* Reads one specification of `length` bytes, which need not end in NUL. listeners_open finds out whether the server can
 * listen there. Returns 0, or -EINVAL with *why set to a static text with the reason; *spec is then undefined. Any
 * thread. */
int listen_spec_parse(struct listen_spec *spec, const char *text, size_t length, const char **why);

#endif
