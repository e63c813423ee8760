/* SPDX-License-Identifier: MIT */
/* What a --listen flag says, read once and kept as a value: which addresses, port or path to listen on. */
#ifndef ECHOD_SERVER_NET_LISTEN_SPEC_H
#define ECHOD_SERVER_NET_LISTEN_SPEC_H

#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

enum listen_kind {
    LISTEN_IPV4,      /* 127.0.0.1:8080 */
    LISTEN_IPV6,      /* [::1]:8080, [fe80::1%eth0]:8080; [::]:8080 is IPv6 alone */
    LISTEN_LOCALHOST, /* localhost:8080, which is 127.0.0.1 and ::1 */
    LISTEN_ANY,       /* *:8080, which is 0.0.0.0 and :: */
    LISTEN_UNIX       /* unix:PATH */
};

/* A plain value: it points nowhere. Port and addresses stand in the order a struct sockaddr wants. */
struct listen_spec {
    enum listen_kind kind;
    in_port_t port;         /* network order; 0 asks for a free port; unused by LISTEN_UNIX */
    struct in_addr ipv4;    /* LISTEN_IPV4 */
    struct in6_addr ipv6;   /* LISTEN_IPV6 */
    char zone[IF_NAMESIZE]; /* LISTEN_IPV6: the interface of a link-local address, or empty */
    char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)]; /* LISTEN_UNIX */
};

/* What a specification may look like, for a message that refuses one. */
#define LISTEN_SPEC_FORMS "ADDRESS:PORT, [ADDRESS]:PORT, localhost:PORT, *:PORT or unix:PATH"

/*
 * Reads one specification of the given length (no NUL needed). Says nothing about whether one can listen
 * there: that shows at listeners_open(). Returns 0, or -EINVAL with *why set to a static text that says what
 * is wrong with it. *spec is then undefined.
 */
int listen_spec_parse(struct listen_spec *spec, const char *text, size_t length, const char **why);

#endif
