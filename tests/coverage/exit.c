/* SPDX-License-Identifier: MIT */
/* Linked into the server of the preset coverage: who ends by _exit (a connection's process) has counted too. */
#include <gcov.h>

void __real__exit(int status) __attribute__((noreturn));
void __wrap__exit(int status) __attribute__((noreturn));

void __wrap__exit(int status)
{
    __gcov_dump();
    __real__exit(status);
}
