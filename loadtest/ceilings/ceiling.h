/* SPDX-License-Identifier: MIT */
/* What the parse-less servers share: a listener on a free port, the search for the empty lines that end heads, one answer. */

#ifndef CEILING_H
#define CEILING_H

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_SIZE = 65536, DEPTH_MAX = 512, ANSWER_MAX = 512 };

static char answers[DEPTH_MAX * ANSWER_MAX]; /* the answer again and again, so that a burst takes one send */
static size_t answer_length;

static void die(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static void stop(int number)
{
    (void)number;
    _exit(EXIT_SUCCESS);
}

/* Makes an answer of the length asked for; a field of its head is as long as that takes. */
static void prepare_answers(size_t length)
{
    static const char format[] = "HTTP/1.1 200 OK\r\nServer: %.*s\r\nContent-Length: 13\r\n\r\nHello, World!";
    char padding[ANSWER_MAX];
    memset(padding, '-', sizeof(padding));
    size_t least = (size_t)snprintf(NULL, 0, format, 0, "");
    if (length <= least || length >= ANSWER_MAX) {
        fprintf(stderr, "answer length: more than %zu and less than %d\n", least, ANSWER_MAX);
        exit(2);
    }
    for (size_t i = 0; i < DEPTH_MAX; i++) {
        snprintf(answers + i * length, ANSWER_MAX, format, (int)(length - least), padding);
    }
    answer_length = length;
}

/* A listening socket, `type` added to its own; says where it listens. The argument is the answer's length. */
static int start(int argc, char **argv, int type)
{
    prepare_answers(argc > 1 ? strtoul(argv[1], NULL, 10) : 128);
    signal(SIGTERM, stop);
    int listener = socket(AF_INET, SOCK_STREAM | type, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) < 0 || listen(listener, 4096) < 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) < 0) {
        die("listen");
    }
    printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

static void set_nodelay(int socket)
{
    int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* How many heads end in these bytes: a head ends with a line that has nothing before its LF but the CR. `unfinished`
 * (0 at first) keeps how many bytes of a line have come so far, two standing for more. */
static size_t count_heads(const char *bytes, size_t length, uint8_t *unfinished)
{
    const char *end = bytes + length;
    const char *lf;
    size_t heads = 0;
    size_t line = *unfinished;
    while ((lf = memchr(bytes, '\n', (size_t)(end - bytes))) != NULL) {
        heads += line + (size_t)(lf - bytes) == 1;
        line = 0;
        bytes = lf + 1;
    }
    line += (size_t)(end - bytes);
    *unfinished = line < 2 ? (uint8_t)line : 2;
    return heads;
}

/* Sends an answer for each head; false if the client is gone. Waits while the socket is full. */
static bool answer(int socket, size_t heads)
{
    size_t left = heads * answer_length;
    size_t offset = 0;
    while (left > 0) {
        size_t room = DEPTH_MAX * answer_length - offset;
        ssize_t sent = send(socket, answers + offset, left < room ? left : room, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno != EAGAIN || poll(&(struct pollfd){.fd = socket, .events = POLLOUT}, 1, -1) < 0) {
                return false;
            }
            continue;
        }
        left -= (size_t)sent;
        offset = (offset + (size_t)sent) % answer_length;
    }
    return true;
}

#endif
