/* SPDX-License-Identifier: MIT */
/* The signal that interrupts a blocking recv, so that its thread looks whether it shall end. */
#ifndef ECHOD_SERVER_DRIVERS_BLOCKING_INTERRUPT_H
#define ECHOD_SERVER_DRIVERS_BLOCKING_INTERRUPT_H

#include <signal.h>

/* One whose default is to be ignored, and that nobody sends by hand. */
#define INTERRUPT_SIGNAL SIGURG

/* Gives the signal a handler that does nothing, without SA_RESTART. Main thread, before others start. */
void interrupt_init(void);

/* The handler calls it from now on, with errno kept; it must be safe in a signal's handler. In a process of one thread. */
void interrupt_call(void (*function)(void));

#endif
