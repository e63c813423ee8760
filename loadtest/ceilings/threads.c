/* SPDX-License-Identifier: MIT */
/* The ceiling of threads: one for each connection, no HTTP but the search for the empty line that ends a head. */

#include "ceiling.h"

#include <pthread.h>

enum { STACK_SIZE = 128 << 10 };

static void *serve(void *argument)
{
    int socket = (int)(intptr_t)argument;
    serve_blocking(socket);
    close(socket);
    return NULL;
}

int main(int argc, char **argv)
{
    int listener = start(argc, argv, 0);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    for (;;) {
        int socket = accept(listener, NULL, NULL);
        pthread_t thread;
        if (socket < 0) {
            continue;
        }
        set_nodelay(socket);
        if (pthread_create(&thread, &attributes, serve, (void *)(intptr_t)socket) != 0) {
            close(socket);
        }
    }
}
