/* SPDX-License-Identifier: MIT */
/* The body of a request: finds its data, in a known length or in chunks, and its trailers. Part of the session: only
 * its files include this header, and only the thread that drives the connection calls body_feed. `data` stays the
 * caller's; an error becomes an answer or closes the connection. */
#ifndef ECHOD_COMMON_SESSION_BODY_H
#define ECHOD_COMMON_SESSION_BODY_H

#include "common/session/exchange/exchange.h"

/* Consumes bytes of the body; returns how many it took. */
size_t body_feed(struct pass *pass, const char *data, size_t length);
/* The parser's callbacks, for heads (pause at their end) and chunked bodies. */
extern const llhttp_settings_t body_parser_settings;

#endif
