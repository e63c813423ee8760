/* SPDX-License-Identifier: MIT */
/* A handler, so that the signal interrupts rather than kills. */
#include "server/wake.h"

static void on_wake(int number)
{
    (void)number;
}

void wake_init(void)
{
    struct sigaction action = {.sa_handler = on_wake};
    sigset_t wake;
    sigaction(WAKE_SIGNAL, &action, NULL);
    sigemptyset(&wake);
    sigaddset(&wake, WAKE_SIGNAL);
    pthread_sigmask(SIG_UNBLOCK, &wake, NULL); /* whoever started us may have blocked it */
}
