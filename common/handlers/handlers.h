/* SPDX-License-Identifier: MIT */
/* The handlers there are, one for each file of this folder, or a few that are parts of one answer. */
#ifndef ECHOD_COMMON_HANDLERS_HANDLERS_H
#define ECHOD_COMMON_HANDLERS_HANDLERS_H

#include "common/route.h"

extern const struct handler anything_handler;
extern const struct handler block_handler;
extern const struct handler bytes_handler;
extern const struct handler compute_handler;
extern const struct handler delay_handler;
extern const struct handler drip_handler;
extern const struct handler echo_handler;
extern const struct handler headers_handler;
extern const struct handler healthz_handler;
extern const struct handler index_handler;
extern const struct handler ip_handler;
extern const struct handler metrics_handler;
extern const struct handler plaintext_handler;
extern const struct handler readyz_handler;
extern const struct handler status_handler;
extern const struct handler version_handler;

/* The longest that a client may have an answer wait. */
enum { HANDLER_WAIT_MOST_MS = 10 * 1000 };

#endif
