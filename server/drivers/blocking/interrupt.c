/* SPDX-License-Identifier: MIT */
/* A handler, so that the signal interrupts rather than kills. */
#include "server/drivers/blocking/interrupt.h"

#include <errno.h>
#include <stddef.h>

static void (*also)(void);

static void on_wake(int number)
{
    int error = errno;
    (void)number;
    if (also != NULL) {
        also();
    }
    errno = error;
}

void interrupt_call(void (*function)(void))
{
    also = function;
}

void interrupt_init(void)
{
    struct sigaction action = {.sa_handler = on_wake};
    sigset_t interrupt;
    sigaction(INTERRUPT_SIGNAL, &action, NULL);
    sigemptyset(&interrupt);
    sigaddset(&interrupt, INTERRUPT_SIGNAL);
    pthread_sigmask(SIG_UNBLOCK, &interrupt, NULL); /* whoever started us may have blocked it */
}
