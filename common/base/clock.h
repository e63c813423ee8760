/* SPDX-License-Identifier: MIT */
/* Time: a monotonic clock for deadlines and durations, and the text of the Date field, formatted once a second for all
 * threads and processes. */
#ifndef ECHOD_COMMON_BASE_CLOCK_H
#define ECHOD_COMMON_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#include "common/base/compiler.h"
#include "common/base/scoreboard.h"

enum { CLOCK_DATE_LENGTH = 29 }; /* "Tue, 15 Nov 1994 08:12:31 GMT" */

/* The three functions below read one clock, CLOCK_MONOTONIC, which never goes backwards. Any thread. */

/* Returns milliseconds, up to one tick of the kernel (1 to 10 ms) behind clock_ms; costs less. */
uint64_t clock_coarse_ms(void);

/* Returns milliseconds. */
uint64_t clock_ms(void);

/* Returns microseconds. */
uint64_t clock_us(void);

/* Writes `when` as an IMF-fixdate (RFC 9110, 5.6.7), without a NUL. Any thread. */
void clock_format_date(char out[CLOCK_DATE_LENGTH], time_t when);

/* Returns the month of an IMF-fixdate, 1 to 12. Any thread. */
int clock_date_month(const char date[CLOCK_DATE_LENGTH]);

/* Publishes the date of `when` to all threads and processes that use the scoreboard. The acceptor's thread only. */
void clock_publish_date(struct scoreboard *scoreboard, time_t when);

/* For clock_read_date: copies the date that was published last to `out` and sets `*sequence`. Waits while a publication
 * is in progress. Any thread. */
void clock_copy_date(const struct scoreboard *scoreboard, char out[SCOREBOARD_DATE_WORDS * 8],
                     uint32_t *sequence);

/* Copies the date that was published last to `out`, unless it is there already: `*sequence` says which date `out`
 * holds, and is 0 before the first call. The date is CLOCK_DATE_LENGTH bytes of the 32. Any thread, also during a
 * publication; the result is never a mixture of two dates. */
static inline void clock_read_date(const struct scoreboard *scoreboard, char out[SCOREBOARD_DATE_WORDS * 8],
                                   uint32_t *sequence)
{
    if (unlikely(atomic_load_explicit(&scoreboard->date_sequence, memory_order_relaxed) != *sequence)) {
        clock_copy_date(scoreboard, out, sequence);
    }
}

#endif
