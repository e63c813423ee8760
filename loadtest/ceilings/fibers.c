/* SPDX-License-Identifier: MIT */
/* The ceiling of fibers: one thread, one epoll set, a stack for each connection; no HTTP but the search for the empty
 * line that ends a head. Boost.Context changes stacks. */

#include "ceiling.h"

#include <sys/epoll.h>
#include <sys/mman.h>

enum { EVENTS = 512, DESCRIPTORS = 1 << 20, STACK_SIZE = 32 << 10 };

/* Boost.Context's interface, which its headers declare for C++ only. */
struct jump {
    void *from;
    void *data;
};
extern struct jump jump_fcontext(void *to, void *data);
extern void *make_fcontext(void *top, size_t size, void (*main)(struct jump jump));

static void *fibers[DESCRIPTORS]; /* where each goes on */
static char *stacks[DESCRIPTORS];
static char buffer[ANSWER_MAX + READ_SIZE];

/* In the fiber: waits until the socket is readable. */
static void wait_readable(void **loop)
{
    *loop = jump_fcontext(*loop, NULL).from;
}

static void serve(struct jump jump)
{
    int socket = (int)(intptr_t)jump.data;
    void *loop = jump.from;
    struct talk talk = {0};
    ssize_t n;
    do {
        wait_readable(&loop);
        n = recv(socket, buffer + ANSWER_MAX, READ_SIZE, 0);
    } while ((n < 0 && errno == EAGAIN) ||
             (n > 0 && converse(socket, buffer + ANSWER_MAX, (size_t)n, &talk)));
    close(socket);
    jump_fcontext(loop, (void *)1);
}

/* Runs the fiber until it waits or has ended. The stack of one that has ended is the next one's with this descriptor. */
static void resume(int socket)
{
    fibers[socket] = jump_fcontext(fibers[socket], (void *)(intptr_t)socket).from;
}

static void add(int epoll, int socket)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = socket};
    if (socket >= DESCRIPTORS || epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event) < 0) {
        die("epoll_ctl");
    }
}

/* A stack above a guard page. */
static char *new_stack(void)
{
    enum { GUARD = 4096 };
    char *memory =
        mmap(NULL, GUARD + STACK_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory + GUARD, STACK_SIZE, PROT_READ | PROT_WRITE) < 0) {
        die("mmap");
    }
    return memory + GUARD;
}

static void accept_all(int epoll, int listener)
{
    int socket;
    while ((socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        set_nodelay(socket);
        add(epoll, socket);
        if (stacks[socket] == NULL) {
            stacks[socket] = new_stack();
        }
        fibers[socket] = make_fcontext(stacks[socket] + STACK_SIZE, STACK_SIZE, serve);
        resume(socket);
    }
}

int main(int argc, char **argv)
{
    int listener = start(argc, argv, SOCK_NONBLOCK);
    int epoll = epoll_create1(0);
    add(epoll, listener);
    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == listener) {
                accept_all(epoll, listener);
            } else {
                resume(events[i].data.fd);
            }
        }
    }
}
