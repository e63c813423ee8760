/* SPDX-License-Identifier: MIT */
/* Loaded before the C library: a network that moves a few bytes at a time, and a wall clock that is set.
 * SHIM_MAX=N     recv and send move 1 to N bytes; now and then they are interrupted, or have nothing and no room.
 * SHIM_ROOM=BYTES the kernel keeps that much at most for each accepted connection, in each direction
 * SHIM_CLOCK=FILE seconds to add to the wall clock, a 64-bit integer that may change at any time.
 * SHIM_ACCEPT=FILE the errno that accept fails with, 0: none; such an integer too. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static long most;
static int room;
static _Atomic uint32_t chance = 1;
static const volatile int64_t *offset;
static const volatile int64_t *accept_error;
static int wall_timer = -1; /* a timerfd on the wall clock, and what the offset was when it was set */
static int64_t wall_timer_offset;

static void *next(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

static const volatile int64_t *map_integer(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    const void *mapped = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    return mapped;
}

static void __attribute__((constructor)) start(void)
{
    const char *number = getenv("SHIM_MOST");
    const char *bytes = getenv("SHIM_ROOM");
    const char *path = getenv("SHIM_CLOCK");
    room = bytes == NULL ? 0 : atoi(bytes);
    most = number == NULL ? 0 : atol(number);
    if (path != NULL) {
        offset = map_integer(path);
    }
    path = getenv("SHIM_ACCEPT");
    if (path != NULL) {
        accept_error = map_integer(path);
    }
}

static uint32_t draw(uint32_t below)
{
    chance = chance * 1664525u + 1013904223u;
    return (chance >> 16) % below;
}

/* What the server calls for recv and send. */
long syscall(long number, ...)
{
    static long (*real)(long, ...);
    long a[6];
    va_list arguments;
    va_start(arguments, number);
    for (int i = 0; i < 6; i++) {
        a[i] = va_arg(arguments, long);
    }
    va_end(arguments);
    if (real == NULL) {
        *(void **)&real = next("syscall");
    }
    if (most > 0 && (number == SYS_recvfrom || number == SYS_sendto)) {
        uint32_t fate = draw(16);
        if (fate == 0 || (fate == 1 && (a[3] & MSG_DONTWAIT) != 0)) {
            errno = fate == 0 ? EINTR : EAGAIN;
            return -1;
        }
        long few = 1 + (long)draw((uint32_t)most);
        a[2] = a[2] < few ? a[2] : few;
    }
    return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
    static int (*real)(int, struct sockaddr *, socklen_t *, int);
    if (real == NULL) {
        *(void **)&real = next("accept4");
    }
    if (accept_error != NULL && *accept_error != 0) {
        errno = (int)*accept_error;
        return -1;
    }
    int accepted = real(fd, address, length, flags);
    if (room > 0 && accepted >= 0) {
        setsockopt(accepted, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
        setsockopt(accepted, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
    }
    return accepted;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    static int (*real)(clockid_t, struct timespec *);
    if (real == NULL) {
        *(void **)&real = next("clock_gettime");
    }
    int result = real(clock, now);
    if (offset != NULL && clock == CLOCK_REALTIME) {
        now->tv_sec += *offset;
    }
    return result;
}

time_t time(time_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out != NULL) {
        *out = now.tv_sec;
    }
    return now.tv_sec;
}

int timerfd_settime(int fd, int flags, const struct itimerspec *new, struct itimerspec *old)
{
    static int (*real)(int, int, const struct itimerspec *, struct itimerspec *);
    if (real == NULL) {
        *(void **)&real = next("timerfd_settime");
    }
    struct itimerspec set = *new;
    if (offset != NULL && (flags & TFD_TIMER_ABSTIME) != 0) {
        wall_timer = fd;
        wall_timer_offset = *offset;
        set.it_value.tv_sec -= wall_timer_offset;
    }
    return real(fd, flags, &set, old);
}

/* As the kernel, a timer that is to be cancelled when the clock is set says so. */
ssize_t read(int fd, void *room, size_t size)
{
    static ssize_t (*real)(int, void *, size_t);
    if (real == NULL) {
        *(void **)&real = next("read");
    }
    if (offset != NULL && fd == wall_timer && wall_timer_offset != *offset) {
        errno = ECANCELED;
        return -1;
    }
    return real(fd, room, size);
}
