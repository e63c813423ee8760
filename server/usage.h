/* SPDX-License-Identifier: MIT */
/* What the operating system counts for this server, for /metrics. */
#ifndef ECHOD_SERVER_USAGE_H
#define ECHOD_SERVER_USAGE_H

#include "common/service.h"

/* Sums up the process, and in process mode the parent, the children that live and those that were reaped
 * (shared->reaped). What cannot be read counts as 0. Any thread of any process of the server. */
void usage_read(const struct service *service, struct usage *usage);

#endif
