/* SPDX-License-Identifier: MIT */
/* Clocks, and the date under a sequence lock. Its words are atomics: readers never write, and there is no data race. */
#include "common/base/clock.h"

#include <string.h>

static uint64_t clock_read_ms(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t clock_coarse_ms(void)
{
    return clock_read_ms(CLOCK_MONOTONIC_COARSE);
}

uint64_t clock_ms(void)
{
    return clock_read_ms(CLOCK_MONOTONIC);
}

uint64_t clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void clock_put_digits(char *out, int value, int digits)
{
    for (int i = digits - 1; i >= 0; i--) {
        out[i] = (char)('0' + value % 10);
        value /= 10;
    }
}

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

/* Not strftime: its names depend on the locale. */
void clock_format_date(char out[CLOCK_DATE_LENGTH], time_t when)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    struct tm tm = {0};
    gmtime_r(&when, &tm);
    memcpy(out, "Sun, 00 Jan 0000 00:00:00 GMT", CLOCK_DATE_LENGTH);
    memcpy(out, days + (ptrdiff_t)3 * tm.tm_wday, 3);
    clock_put_digits(out + 5, tm.tm_mday, 2);
    memcpy(out + 8, months + (ptrdiff_t)3 * tm.tm_mon, 3);
    clock_put_digits(out + 12, tm.tm_year + 1900, 4);
    clock_put_digits(out + 17, tm.tm_hour, 2);
    clock_put_digits(out + 20, tm.tm_min, 2);
    clock_put_digits(out + 23, tm.tm_sec, 2);
}

int clock_date_month(const char date[CLOCK_DATE_LENGTH])
{
    int month = 1;
    while (month < 12 && memcmp(months + (ptrdiff_t)3 * (month - 1), date + 8, 3) != 0) {
        month++;
    }
    return month;
}

void clock_publish_date(struct scoreboard *scoreboard, time_t when)
{
    uint64_t words[SCOREBOARD_DATE_WORDS] = {0};
    char text[sizeof words] = {0};
    clock_format_date(text, when);
    memcpy(words, text, sizeof words);
    uint32_t sequence = atomic_load_explicit(&scoreboard->date_sequence, memory_order_relaxed);
    atomic_store_explicit(&scoreboard->date_sequence, sequence + 1, memory_order_relaxed);
    for (int i = 0; i < SCOREBOARD_DATE_WORDS; i++) {
        atomic_store_explicit(&scoreboard->date_words[i], words[i], memory_order_release);
    }
    atomic_store_explicit(&scoreboard->date_sequence, sequence + 2, memory_order_release);
    atomic_store_explicit(&scoreboard->date_ms, clock_ms(), memory_order_relaxed);
}

COLD void clock_copy_date(const struct scoreboard *scoreboard, char out[SCOREBOARD_DATE_WORDS * 8],
                          uint32_t *sequence)
{
    uint64_t words[SCOREBOARD_DATE_WORDS];
    uint32_t before;
    uint32_t after;
    do {
        before = atomic_load_explicit(&scoreboard->date_sequence, memory_order_acquire);
        for (int i = 0; i < SCOREBOARD_DATE_WORDS; i++) {
            words[i] = atomic_load_explicit(&scoreboard->date_words[i], memory_order_acquire);
        }
        after = atomic_load_explicit(&scoreboard->date_sequence, memory_order_relaxed);
    } while (before != after || (before & 1) != 0);
    memcpy(out, words, sizeof words);
    *sequence = before;
}
