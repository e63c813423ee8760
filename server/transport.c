/* SPDX-License-Identifier: MIT */
/* recv and send as bare system calls: the C library's are cancellation points, which in a program with threads cost as
 * much as a short request's answer to write, and nothing is cancelled here; on x86-64 even `syscall` is a function too many. */
#include "server/transport.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* `result` is -errno if it failed. */
static struct transfer transport_outcome(long result)
{
    if (result > 0) {
        return (struct transfer){.outcome = TRANSPORT_MOVED, .length = (size_t)result};
    }
    switch (result) {
    case 0: return (struct transfer){.outcome = TRANSPORT_END};
    case -EAGAIN: return (struct transfer){.outcome = TRANSPORT_RETRY};
    case -EINTR: return (struct transfer){.outcome = TRANSPORT_INTERRUPTED};
    default: return (struct transfer){.outcome = TRANSPORT_LOST};
    }
}

/* recvfrom or sendto without an address. */
static long transport_call(long number, int fd, const void *data, size_t size, long flags)
{
#ifdef __x86_64__
    register long r10 __asm__("r10") = flags;
    register long r8 __asm__("r8") = 0;
    register long r9 __asm__("r9") = 0;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"((long)fd), "S"(data), "d"(size), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
#else
    long result = syscall(number, fd, data, size, flags, NULL, 0);
    return result < 0 ? -errno : result;
#endif
}

struct transfer transport_receive(int fd, void *room, size_t size, enum patience patience)
{
    return transport_outcome(
        transport_call(SYS_recvfrom, fd, room, size, patience == PATIENCE_WAIT ? 0 : MSG_DONTWAIT));
}

struct transfer transport_send(int fd, const void *data, size_t length)
{
    return transport_outcome(transport_call(SYS_sendto, fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL));
}
