/* SPDX-License-Identifier: MIT */
/* The ceiling of processes: one for each connection, no HTTP but the search for the empty line that ends a head. */

#include "ceiling.h"

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
            serve_blocking(socket);
            _exit(EXIT_SUCCESS);
        }
        close(socket);
    }
}
