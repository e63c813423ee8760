/* SPDX-License-Identifier: MIT */
/* Time: a monotonic millisecond clock for deadlines, and the Date field's text, formatted once a second for all. */
#ifndef ECHOD_COMMON_BASE_CLOCK_H
#define ECHOD_COMMON_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#include "common/base/compiler.h"
#include "common/base/scoreboard.h"

enum { CLOCK_DATE_LENGTH = 29 }; /* "Tue, 15 Nov 1994 08:12:31 GMT" */

/* Milliseconds since some fixed point, never backwards, at the kernel's tick resolution (1 to 10 ms). Any thread. */
uint64_t clock_coarse_ms(void);

/* The same clock to the millisecond. Any thread. */
uint64_t clock_ms(void);

/* The same clock in microseconds. Any thread. */
uint64_t clock_us(void);

/* Writes the IMF-fixdate of `when` (RFC 9110, 5.6.7), no NUL at its end. Any thread. */
void clock_format_date(char out[CLOCK_DATE_LENGTH], time_t when);

/* Returns the month of such a date, 1 to 12. Any thread. */
int clock_date_month(const char date[CLOCK_DATE_LENGTH]);

/* Publishes the date of `when` to all threads and processes of the mapping. One thread only: the acceptor's. */
void clock_publish_date(struct scoreboard *scoreboard, time_t when);

void clock_copy_date(const struct scoreboard *scoreboard, char out[SCOREBOARD_DATE_WORDS * 8],
                     uint32_t *sequence);

/* Copies the date published last, unless `*sequence` says that `out` has it already; 0 at first. Any thread; never a torn
 * one. `out` has room for 32 bytes, 29 of them are text. */
static inline void clock_read_date(const struct scoreboard *scoreboard, char out[SCOREBOARD_DATE_WORDS * 8],
                                   uint32_t *sequence)
{
    if (unlikely(atomic_load_explicit(&scoreboard->date_sequence, memory_order_relaxed) != *sequence)) {
        clock_copy_date(scoreboard, out, sequence);
    }
}

#endif
