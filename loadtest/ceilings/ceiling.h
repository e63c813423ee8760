/* SPDX-License-Identifier: MIT */
/* What the parse-less servers share: a listener on a free port, the search for the empty lines that end heads, one answer
 * for each; or, as a read-write loop, a body of known size sent back behind a fixed head; or one answer and the end. */

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

static enum { ANSWER, ECHO, CLOSE } kind;
static size_t echo_size;

/* One connection: what is left of the body that is echoed, and how a line stands that has not ended. */
struct talk {
    uint32_t left;
    uint8_t unfinished;
};

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

/* Makes an answer of the length asked for; a field of its head is as long as that takes. The body of an echo is not in it. */
static void prepare_answers(size_t length)
{
    static const char format[] = "HTTP/1.1 200 OK\r\nServer: %.*s\r\n%sContent-Length: %zu\r\n\r\n%s";
    const char *close = kind == CLOSE ? "Connection: close\r\n" : "";
    const char *body = kind == ECHO ? "" : "Hello, World!";
    size_t announced = kind == ECHO ? echo_size : strlen(body);
    size_t own = length - (kind == ECHO ? echo_size : 0);
    char padding[ANSWER_MAX];
    memset(padding, '-', sizeof(padding));
    size_t least = (size_t)snprintf(NULL, 0, format, 0, "", close, announced, body);
    if (length < echo_size || own <= least || own >= ANSWER_MAX) {
        fprintf(stderr, "answer length: more than %zu and less than %d without an echo\n", least, ANSWER_MAX);
        exit(2);
    }
    for (size_t i = 0; i < DEPTH_MAX; i++) {
        snprintf(answers + i * own, ANSWER_MAX, format, (int)(own - least), padding, close, announced, body);
    }
    answer_length = own;
}

/* PROGRAM [LENGTH [echo SIZE | close]] */
static void read_arguments(int argc, char **argv)
{
    if (argc > 3 && strcmp(argv[2], "echo") == 0) {
        kind = ECHO;
        echo_size = strtoul(argv[3], NULL, 10);
    } else if (argc > 2 && strcmp(argv[2], "close") == 0) {
        kind = CLOSE;
    }
    prepare_answers(argc > 1 ? strtoul(argv[1], NULL, 10) : 128);
}

/* A listening socket, `type` added to its own; says where it listens. */
static int start(int argc, char **argv, int type)
{
    read_arguments(argc, argv);
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

/* Waits while the socket is full; false if the client is gone. */
static bool send_all(int socket, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(socket, bytes, length, MSG_NOSIGNAL);
        if (sent >= 0) {
            bytes += sent;
            length -= (size_t)sent;
        } else if (errno != EAGAIN || poll(&(struct pollfd){.fd = socket, .events = POLLOUT}, 1, -1) < 0) {
            return false;
        }
    }
    return true;
}

/* Sends an answer for each head. */
static bool answer(int socket, size_t heads)
{
    while (heads > 0) {
        size_t some = heads < DEPTH_MAX ? heads : DEPTH_MAX;
        if (!send_all(socket, answers, some * answer_length)) {
            return false;
        }
        heads -= some;
    }
    return true;
}

/* Sends back what has come of a body, the first part behind the answer's head, which takes the place of the request's. A
 * client that waits for each answer sends a head whole, and nothing behind the body. */
static bool echo(int socket, char *bytes, size_t length, struct talk *talk)
{
    if (talk->left == 0) {
        char *end = memmem(bytes, length, "\r\n\r\n", 4);
        if (end == NULL) {
            return false;
        }
        talk->left = (uint32_t)(echo_size + answer_length);
        char *start = end + 4 - answer_length;
        length = length - (size_t)(start - bytes);
        bytes = memcpy(start, answers, answer_length);
    }
    talk->left -= (uint32_t)length;
    return send_all(socket, bytes, length);
}

/* What is done with bytes that were read (behind ANSWER_MAX bytes of room); false when the connection is over. */
static bool converse(int socket, char *bytes, size_t length, struct talk *talk)
{
    if (kind == ECHO) {
        return echo(socket, bytes, length, talk);
    }
    size_t heads = count_heads(bytes, length, &talk->unfinished);
    return answer(socket, heads) && (kind != CLOSE || heads == 0);
}

/* One connection with blocking calls. */
static inline void serve_blocking(int socket)
{
    char buffer[ANSWER_MAX + READ_SIZE];
    struct talk talk = {0};
    ssize_t n;
    do {
        n = recv(socket, buffer + ANSWER_MAX, READ_SIZE, 0);
    } while (n > 0 && converse(socket, buffer + ANSWER_MAX, (size_t)n, &talk));
}

#endif
