/* SPDX-License-Identifier: MIT */
/* The date's text (RFC 9110, 5.6.7), its publication, and clocks that do not go backwards. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "common/base/clock.h"

static const struct {
    time_t when;
    const char *text;
} dates[] = {
    {784111777, "Sun, 06 Nov 1994 08:49:37 GMT"}, /* the RFC's own */
    {0, "Thu, 01 Jan 1970 00:00:00 GMT"},          {59, "Thu, 01 Jan 1970 00:00:59 GMT"},
    {86399, "Thu, 01 Jan 1970 23:59:59 GMT"},      {86400, "Fri, 02 Jan 1970 00:00:00 GMT"},
    {951782399, "Mon, 28 Feb 2000 23:59:59 GMT"},  {951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},
    {951868800, "Wed, 01 Mar 2000 00:00:00 GMT"},  {1000000000, "Sun, 09 Sep 2001 01:46:40 GMT"},
    {1709164800, "Thu, 29 Feb 2024 00:00:00 GMT"}, {1735689599, "Tue, 31 Dec 2024 23:59:59 GMT"},
    {1746057600, "Thu, 01 May 2025 00:00:00 GMT"}, {1749945600, "Sun, 15 Jun 2025 00:00:00 GMT"},
    {1752364800, "Sun, 13 Jul 2025 00:00:00 GMT"}, {1754784000, "Sun, 10 Aug 2025 00:00:00 GMT"},
    {1759536000, "Sat, 04 Oct 2025 00:00:00 GMT"}, {1743465600, "Tue, 01 Apr 2025 00:00:00 GMT"},
    {2147483647, "Tue, 19 Jan 2038 03:14:07 GMT"}, {2147483648, "Tue, 19 Jan 2038 03:14:08 GMT"},
    {4102444800, "Fri, 01 Jan 2100 00:00:00 GMT"}, {253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
};

static void expect_dates(void)
{
    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
        char text[CLOCK_DATE_LENGTH + 1];
        text[CLOCK_DATE_LENGTH] = '!';
        clock_format_date(text, dates[i].when);
        cr_expect_eq(text[CLOCK_DATE_LENGTH], '!', "29 bytes are written");
        text[CLOCK_DATE_LENGTH] = '\0';
        cr_expect_str_eq(text, dates[i].text);
    }
}

Test(clock, format)
{
    expect_dates();
}

Test(clock, month)
{
    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
        struct tm tm;
        gmtime_r(&dates[i].when, &tm);
        cr_expect_eq(clock_date_month(dates[i].text), tm.tm_mon + 1, "%s", dates[i].text);
    }
}

Test(clock, the_time_zone_does_not_matter)
{
    setenv("TZ", "ABC-9:30", 1);
    tzset();
    expect_dates();
}

Test(clock, publish_and_read)
{
    struct scoreboard *scoreboard = scoreboard_new(1, 0);
    char out[SCOREBOARD_DATE_WORDS * 8];
    uint32_t sequence = 0;
    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
        clock_publish_date(scoreboard, dates[i].when);
        clock_read_date(scoreboard, out, &sequence);
        cr_expect_arr_eq(out, dates[i].text, CLOCK_DATE_LENGTH);
        memset(out, 'x', sizeof out);
        clock_read_date(scoreboard, out, &sequence);
        cr_expect_eq(out[0], 'x', "what was read already is not copied again");
    }
    uint32_t fresh = 0;
    clock_read_date(scoreboard, out, &fresh);
    cr_expect_arr_eq(out, dates[sizeof dates / sizeof dates[0] - 1].text, CLOCK_DATE_LENGTH);
    scoreboard_free(scoreboard);
}

Test(clock, clocks_agree_and_never_go_backwards)
{
    uint64_t coarse = clock_coarse_ms();
    uint64_t ms = clock_ms();
    uint64_t us = clock_us();
    for (int i = 0; i < 100000; i++) {
        uint64_t next_coarse = clock_coarse_ms();
        uint64_t next_ms = clock_ms();
        uint64_t next_us = clock_us();
        cr_assert(next_coarse >= coarse && next_ms >= ms && next_us >= us);
        cr_assert(next_us / 1000 >= next_ms && next_ms >= next_coarse);
        coarse = next_coarse;
        ms = next_ms;
        us = next_us;
    }
}
