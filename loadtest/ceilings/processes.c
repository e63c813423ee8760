/* SPDX-License-Identifier: MIT */
/* The ceiling of processes: one for each connection, no HTTP but the search for the empty line that ends a head. */

#include "ceiling.h"

static void serve(int socket)
{
    char buffer[READ_SIZE];
    uint8_t unfinished = 0;
    ssize_t n;
    do {
        n = recv(socket, buffer, sizeof(buffer), 0);
    } while (n > 0 && answer(socket, count_heads(buffer, (size_t)n, &unfinished)));
    _exit(EXIT_SUCCESS);
}

int main(int argc, char **argv)
{
    int listener = start(argc, argv, 0);
    signal(SIGCHLD, SIG_IGN); /* no child stays a zombie */
    for (;;) {
        int socket = accept(listener, NULL, NULL);
        if (socket < 0) {
            continue;
        }
        set_nodelay(socket);
        if (fork() == 0) {
            close(listener);
            serve(socket);
        }
        close(socket);
    }
}
