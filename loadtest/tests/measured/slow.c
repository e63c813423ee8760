/* SPDX-License-Identifier: MIT */
/* Preloaded, makes a server slower than it is: every recv(2) computes for SLOW_NS nanoseconds first (5,000 if not set). */

#include <dlfcn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

static long now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000L + now.tv_nsec;
}

ssize_t recv(int socket, void *buffer, size_t length, int flags)
{
    static ssize_t (*real)(int, void *, size_t, int);
    static long slow_ns = 5000;
    if (real == NULL) {
        const char *asked = getenv("SLOW_NS");
        slow_ns = asked != NULL ? atol(asked) : slow_ns;
        real = (ssize_t (*)(int, void *, size_t, int))dlsym(RTLD_NEXT, "recv");
    }
    for (long end = now_ns() + slow_ns; now_ns() < end;) {
    }
    return real(socket, buffer, length, flags);
}
