/* SPDX-License-Identifier: MIT */
/* The ceiling of event loops: one thread, one epoll set, no HTTP but the search for the empty line that ends a head. */

#include "ceiling.h"

#include <sys/epoll.h>

enum { EVENTS = 512, DESCRIPTORS = 1 << 20 };

static struct talk talks[DESCRIPTORS];
static char buffer[ANSWER_MAX + READ_SIZE];

static void add(int epoll, int socket)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = socket};
    if (socket >= DESCRIPTORS || epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event) < 0) {
        die("epoll_ctl");
    }
}

static void accept_all(int epoll, int listener)
{
    int socket;
    while ((socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        set_nodelay(socket);
        talks[socket] = (struct talk){0};
        add(epoll, socket);
    }
}

static void serve(int socket)
{
    ssize_t n = recv(socket, buffer + ANSWER_MAX, READ_SIZE, 0);
    if (n < 0 && errno == EAGAIN) {
        return;
    }
    if (n <= 0 || !converse(socket, buffer + ANSWER_MAX, (size_t)n, &talks[socket])) {
        close(socket);
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
                serve(events[i].data.fd);
            }
        }
    }
}
