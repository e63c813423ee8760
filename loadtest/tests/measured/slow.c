/* SPDX-License-Identifier: MIT */
/* Preloaded, makes a server slower than it is: it computes for SLOW_NS nanoseconds (5,000 if not set) before it sends.
 * The server sends by syscall(2), see server/net/transport.c. */

#include <dlfcn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>

static long now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000L + now.tv_nsec;
}

long syscall(long number, ...)
{
    static long (*real)(long, ...);
    static long slow_ns = 5000;
    if (real == NULL) {
        const char *asked = getenv("SLOW_NS");
        slow_ns = asked != NULL ? atol(asked) : slow_ns;
        *(void **)&real = dlsym(RTLD_NEXT, "syscall");
    }
    long argument[6];
    va_list list;
    va_start(list, number);
    for (int i = 0; i < 6; i++) {
        argument[i] = va_arg(list, long);
    }
    va_end(list);
    if (number == SYS_sendto) {
        for (long end = now_ns() + slow_ns; now_ns() < end;) {
        }
    }
    return real(number, argument[0], argument[1], argument[2], argument[3], argument[4], argument[5]);
}
