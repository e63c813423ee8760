/* SPDX-License-Identifier: MIT */
/* recv and send as bare system calls. The C library's functions are cancellation points, which in a program with
 * threads cost as much as writing the answer to a short request; no thread is ever cancelled here. */
#include "server/net/transport.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct transfer transport_outcome(long result)
{
    if (result > 0) {
        return (struct transfer){.outcome = TRANSPORT_MOVED, .length = (size_t)result};
    }
    if (result == 0) {
        return (struct transfer){.outcome = TRANSPORT_END};
    }
    switch (errno) {
    case EAGAIN: return (struct transfer){.outcome = TRANSPORT_RETRY};
    case EINTR: return (struct transfer){.outcome = TRANSPORT_INTERRUPTED};
    default: return (struct transfer){.outcome = TRANSPORT_ERROR};
    }
}

struct transfer transport_receive(int fd, void *room, size_t size, enum transport_wait wait)
{
    return transport_outcome(
        syscall(SYS_recvfrom, fd, room, size, wait == TRANSPORT_WAIT ? 0 : MSG_DONTWAIT, NULL, NULL));
}

/* tcp(7): with MSG_TRUNC the bytes are discarded, and no buffer is needed. */
struct transfer transport_discard(int fd, size_t size)
{
    return transport_outcome(syscall(SYS_recvfrom, fd, NULL, size, MSG_DONTWAIT | MSG_TRUNC, NULL, NULL));
}

struct transfer transport_send(int fd, const void *data, size_t length)
{
    return transport_outcome(syscall(SYS_sendto, fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0));
}

size_t transport_undelivered(int fd)
{
    int left = 0;
    return ioctl(fd, SIOCOUTQ, &left) == 0 ? (size_t)left : 0;
}

/* socket(7): with a time of 0, SO_LINGER drops what is unsent. */
void transport_reset(int fd)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}
