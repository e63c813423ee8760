/* SPDX-License-Identifier: MIT */
/* accept(2), its errors by their meaning, and addresses in the form that sessions use. */
#include "server/net/accepted.h"

#include <errno.h>
#include <string.h>

#include "server/net/socket_address.h"

static struct peer peer_of(const struct socket_address *address)
{
    struct peer peer = {.family = AF_UNIX};
    const struct in6_addr *host = &address->ipv6.sin6_addr;
    switch (address->any.sa_family) {
    case AF_INET:
        peer.family = AF_INET;
        peer.port = ntohs(address->ipv4.sin_port);
        memcpy(peer.address, &address->ipv4.sin_addr, 4);
        break;
    case AF_INET6:
        /* A dual-stack socket of a service manager has IPv4 peers too. */
        peer.family = IN6_IS_ADDR_V4MAPPED(host) ? AF_INET : AF_INET6;
        peer.port = ntohs(address->ipv6.sin6_port);
        if (peer.family == AF_INET) {
            memcpy(peer.address, &host->s6_addr[12], 4);
        } else {
            memcpy(peer.address, host->s6_addr, 16);
        }
        break;
    default: break;
    }
    return peer;
}

/* accept(2) also returns network errors of the new connection, which do not concern the listener. */
static enum accept_result accept_failure(int error)
{
    switch (error) {
    case EAGAIN: return ACCEPT_EMPTY;
    case EINTR:
    case ECONNABORTED:
    case EPERM:
    case EPROTO:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
    case ETIMEDOUT: return ACCEPT_ABORTED;
    default: return ACCEPT_NO_RESOURCES;
    }
}

enum accept_result accept_connection(struct accepted *accepted, int listener)
{
    struct socket_address address = {.length = sizeof(address.storage)};
    address.storage.ss_family = AF_UNSPEC;
    int fd = accept4(listener, &address.any, &address.length, SOCK_CLOEXEC);
    if (fd < 0) {
        return accept_failure(errno);
    }
    *accepted = (struct accepted){.fd = fd, .peer = peer_of(&address)};
    return ACCEPT_DONE;
}

bool accepted_local(int fd, struct peer *local)
{
    struct socket_address address;
    if (socket_address_of(&address, fd) != 0) {
        return false;
    }
    *local = peer_of(&address);
    return true;
}
