/* SPDX-License-Identifier: MIT */
/* Preloaded into a server, makes each sendto() that took bytes cost so many nanoseconds of CPU more: SLOWED_NS. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

ssize_t sendto(int socket, const void *bytes, size_t size, int flags, const struct sockaddr *to,
               socklen_t length)
{
    static ssize_t (*real)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
    static uint64_t extra;
    if (!real) {
        const char *text = getenv("SLOWED_NS");
        extra = text ? strtoull(text, NULL, 10) : 0;
        *(void **)&real = dlsym(RTLD_NEXT, "sendto");
    }
    ssize_t sent = real(socket, bytes, size, flags, to, length);
    if (sent > 0) {
        uint64_t end = now() + extra;
        while (now() < end) {
        }
    }
    return sent;
}
