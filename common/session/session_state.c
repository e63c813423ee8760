/* SPDX-License-Identifier: MIT */
/* The transitions between a session's states, as session_state.h lists them. */
#include "common/session/session_state.h"

#include "common/base/compiler.h"

#define TO(state) (1u << STATE_##state)

static const uint8_t successors[] = {
    [STATE_PROXY] = TO(START) | TO(CLOSING),
    [STATE_START] = TO(HEAD) | TO(CLOSING),
    [STATE_HEAD] = TO(REFUSED_LINE) | TO(BODY) | TO(START) | TO(CLOSING),
    [STATE_REFUSED_LINE] = TO(START) | TO(CLOSING),
    [STATE_BODY] = TO(ANSWER) | TO(START) | TO(CLOSING),
    [STATE_ANSWER] = TO(ANSWER) | TO(BODY) | TO(START) | TO(CLOSING),
    [STATE_CLOSING] = TO(CLOSING),
};

bool session_state_may_follow(enum session_state from, enum session_state to)
{
    return (successors[from] & 1u << to) != 0;
}

COLD void session_count_drained(struct session *s, uint64_t bytes)
{
    uint64_t left = SESSION_DRAINED_MAX - s->drained; /* more counts as that */
    s->drained += (uint32_t)(bytes < left ? bytes : left);
}
