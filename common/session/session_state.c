/* SPDX-License-Identifier: MIT */
/* The transitions between a session's states, as session_state.h lists them. */
#include "common/session/session_state.h"

#define TO(state) (1u << STATE_##state)

static const uint8_t successors[] = {
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
