/* SPDX-License-Identifier: MIT */
/* A time for which a client may make the server wait. Any thread. */
#ifndef ECHOD_COMMON_HANDLERS_WAIT_H
#define ECHOD_COMMON_HANDLERS_WAIT_H

#include "common/session/exchange/response.h"

/* Reads a time of at most --max-delay into `*ms`. Returns false if that is not possible; the response then says what the
 * parameter `name` must be. */
bool wait_read(const struct request *request, struct response *response, const char *name, struct span text,
               uint64_t *ms);

#endif
