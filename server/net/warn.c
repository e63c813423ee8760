/* SPDX-License-Identifier: MIT */
/* Lines on stderr. */
#include "server/net/warn.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void warn(const char *format, ...)
{
    char line[512] = "echod: ";
    const size_t begin = strlen(line);
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line + begin, sizeof(line) - begin - 1, format, arguments);
    va_end(arguments);
    if (length < 0) {
        return;
    }
    size_t end = strlen(line);
    line[end] = '\n';
    /* A pipe that nobody reads must not block a loop. An error of the write has no other place to be reported. */
    struct pollfd room = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&room, 1, 0) == 1) {
        ssize_t written = write(STDERR_FILENO, line, end + 1);
        (void)written;
    }
}
