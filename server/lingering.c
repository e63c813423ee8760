/* SPDX-License-Identifier: MIT */
/* How long a lingering close lasts. */
#include "server/lingering.h"

struct lingering lingering_begin(uint64_t now)
{
    return (struct lingering){.began = now, .heard = now};
}

bool lingering_hear(struct lingering *lingering, uint64_t now, uint64_t bytes)
{
    lingering->heard = now;
    lingering->bytes += bytes;
    return lingering->bytes < LINGER_BYTES_MOST;
}

uint64_t lingering_deadline(const struct lingering *lingering)
{
    uint64_t quiet = lingering->heard + LINGER_QUIET_MS;
    uint64_t whole = lingering->began + LINGER_WHOLE_MS;
    return quiet < whole ? quiet : whole;
}
