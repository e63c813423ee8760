/* SPDX-License-Identifier: MIT */
/* The ceiling of processes: one for each connection, no HTTP but the search for the empty line that ends a head. */

#include "ceiling.h"
#include <sys/wait.h>

int main(int argc, char **argv)
{
    int listener = start(argc, argv, 0);
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
        while (waitpid(-1, NULL, WNOHANG) > 0) {
            /* Were SIGCHLD ignored instead, nobody would be told what CPU time ended children took. */
        }
    }
}
