/* SPDX-License-Identifier: MIT */
/* The signal that interrupts a blocking recv, so that the thread checks whether the server drains. */
#ifndef ECHOD_SERVER_DRIVERS_BLOCKING_INTERRUPT_H
#define ECHOD_SERVER_DRIVERS_BLOCKING_INTERRUPT_H

#include <signal.h>

/* A signal that is ignored by default and that operators do not send. */
#define INTERRUPT_SIGNAL SIGURG

/* Installs a handler that does nothing, without SA_RESTART. Main thread, before other threads start. */
void interrupt_init(void);

/* From now on the handler calls `function`, which must be async-signal-safe; errno is preserved. Only in a process
 * with one thread. */
void interrupt_call(void (*function)(void));

#endif
