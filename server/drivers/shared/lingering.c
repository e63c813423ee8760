/* SPDX-License-Identifier: MIT */
/* The time limits of a lingering close, and the reads that discard. */
#include "server/drivers/shared/lingering.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "server/net/transport.h"

/* MSG_TRUNC discards bytes on TCP only. On a unix socket, for example, the kernel still copies them. */
static bool socket_is_tcp(int fd)
{
    int protocol = 0;
    socklen_t length = sizeof protocol;
    return getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &length) == 0 && protocol == IPPROTO_TCP;
}

struct lingering lingering_begin(int fd, uint64_t now, uint32_t whole_ms)
{
    return (struct lingering){
        .began = now, .quiet_since = now, .whole_ms = whole_ms, .truncates = socket_is_tcp(fd)};
}

void lingering_shut_down(int fd)
{
    shutdown(fd, SHUT_WR);
}

/* False if the peer has closed its side or is gone. */
static bool lingering_discard(struct lingering *lingering, int fd, void *room, size_t size, uint64_t now)
{
    struct transfer read = lingering->truncates ? transport_discard(fd, LINGER_READ_SIZE)
                                                : transport_receive(fd, room, size, TRANSPORT_NO_WAIT);
    switch (read.outcome) {
    case TRANSPORT_MOVED: lingering->quiet_since = now; return true;
    case TRANSPORT_RETRY:
    case TRANSPORT_INTERRUPTED: return true;
    case TRANSPORT_END:
    case TRANSPORT_ERROR: return false;
    }
    __builtin_unreachable();
}

uint64_t lingering_deadline(const struct lingering *lingering)
{
    if (lingering->unread) {
        return lingering->quiet_since + LINGER_UNREAD_MS;
    }
    uint64_t quiet = lingering->quiet_since + LINGER_QUIET_MS;
    uint64_t whole = lingering->began + lingering->whole_ms;
    return quiet < whole ? quiet : whole;
}

bool lingering_advance(struct lingering *lingering, int fd, bool readable, void *room, size_t size,
                       uint64_t now)
{
    if (readable && !lingering->unread && !lingering_discard(lingering, fd, room, size, now)) {
        return false;
    }
    if (now < lingering_deadline(lingering)) {
        return true;
    }
    bool stays = !lingering->unread;
    lingering->unread = true;
    lingering->quiet_since = now;
    return stays;
}

bool lingering_may_give_way(const struct lingering *lingering, uint64_t now)
{
    return now >= lingering->began + LINGER_GIVES_WAY_MS;
}
