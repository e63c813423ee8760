/* SPDX-License-Identifier: MIT */
/* struct pass is in use during one call of the session, from pass_begin to pass_end. During the call the exchange and
 * the parser may be in it; if they are not done at the end, pass_end copies them to the heap. Part of the session: only
 * its files include this header, and only the thread that drives the connection calls these functions. */
#ifndef ECHOD_COMMON_SESSION_PASS_H
#define ECHOD_COMMON_SESSION_PASS_H

#include "common/session/exchange/exchange.h"
#include "common/base/compiler.h"

/* Frees what a session keeps between passes; nothing if there is nothing. */
void session_drop_exchange(struct session *s, struct budget budget);
void session_drop_parser(struct session *s, struct budget budget);

/* The two halves of pass_end. */
void pass_end_exchange(struct pass *pass);
void pass_end_parser(struct pass *pass);

/* `s` and `context` stay the caller's. */
static ALWAYS_INLINE struct pass *pass_begin(struct session *s, struct context *context)
{
    struct pass *pass = context->pass;
    pass->session = s;
    pass->context = context;
    pass->exchange = s->exchange;
    pass->parser = s->parser == NULL ? &pass->local_parser : s->parser;
    pass->grow = false;
    return pass;
}

/* Keeps what outlives the pass. */
static ALWAYS_INLINE void pass_end(struct pass *pass)
{
    struct session *s = pass->session;
    if (unlikely(s->state != STATE_START || s->parser != NULL)) {
        pass_end_parser(pass);
    }
    if (unlikely(pass->exchange != NULL || s->exchange != NULL)) {
        pass_end_exchange(pass);
    }
}

#endif
