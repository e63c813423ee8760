/* SPDX-License-Identifier: MIT */
/* Which open connections hold a place, and which would make one free. */
#include <criterion/criterion.h>

#include "server/drivers/shared/connection_count.h"

static _Atomic uint64_t open_count, lingering_count;

static void begin(struct connection_count *count)
{
    cr_assert_eq(connection_count_init(count, &open_count, &lingering_count), 0);
}

Test(connection_count, a_refused_connection_is_open_and_holds_no_place)
{
    struct connection_count count;
    begin(&count);
    connection_count_add(&count);
    connection_count_add(&count);
    connection_count_refuse(&count);
    cr_expect_eq(connection_count_value(&count), 2);
    cr_expect_eq(connection_count_served(&count), 1);
    connection_count_drop_refused(&count);
    cr_expect_eq(connection_count_value(&count), 1);
    cr_expect_eq(connection_count_served(&count), 1);
    connection_count_drop(&count);
    cr_expect_eq(connection_count_value(&count), 0);
    connection_count_deinit(&count);
}

Test(connection_count, a_refused_connection_that_lingers_gives_no_place)
{
    struct connection_count count;
    begin(&count);
    connection_count_linger_begin(&count, false);
    cr_expect_eq(connection_count_lingering(&count), 1);
    cr_expect_eq(connection_count_giving_way(&count), 0);
    connection_count_linger_begin(&count, true);
    cr_expect_eq(connection_count_lingering(&count), 2);
    cr_expect_eq(connection_count_giving_way(&count), 1);
    connection_count_linger_end(&count, false);
    cr_expect_eq(connection_count_giving_way(&count), 1);
    connection_count_linger_end(&count, true);
    cr_expect_eq(connection_count_lingering(&count), 0);
    cr_expect_eq(connection_count_giving_way(&count), 0);
    connection_count_deinit(&count);
}
