/* SPDX-License-Identifier: MIT */
/* Where connections go and where they come from. */
#ifndef ECHOD_LOADTEST_SWARM_HTTP_ENDPOINT_H
#define ECHOD_LOADTEST_SWARM_HTTP_ENDPOINT_H

#include "loadtest/swarm/settings/options.h"

/*
 * Begins to connect connection `number`. The connections take turns over the targets, then over the sources. Returns a
 * non-blocking descriptor, which becomes writable when the connection is established or has failed (SO_ERROR); or a
 * negative errno: -EAGAIN if the queue of a unix socket is full now. receive_buffer is in bytes; 0 leaves it to the
 * kernel.
 */
int endpoint_connect(const struct options *options, size_t number, uint64_t receive_buffer);

/* Says what an error of endpoint_connect(), or of the socket later, means. A static text. */
const char *endpoint_error(int error);

#endif
