/* SPDX-License-Identifier: MIT */
/* The list of transitions in session_state.h is the table that session_set_state asserts, row by row. */
#include "common/session/session_state.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const char *const names[] = {
    [STATE_PROXY] = "PROXY",     [STATE_START] = "START",
    [STATE_HEAD] = "HEAD",       [STATE_REFUSED_LINE] = "REFUSED_LINE",
    [STATE_BODY] = "BODY",       [STATE_ANSWER] = "ANSWER",
    [STATE_CLOSING] = "CLOSING",
};
enum { NAMES = sizeof names / sizeof names[0] };

static int state_named(const char *name)
{
    for (int i = 0; i < NAMES; i++) {
        if (strcmp(names[i], name) == 0) {
            return i;
        }
    }
    cr_assert_fail("the list names a state that there is not: %s", name);
    return -1;
}

/* Counts the lines ` *     FROM -> TO   when` by their states. */
static void read_list(unsigned listed[NAMES][NAMES])
{
    FILE *header = fopen("common/session/session_state.h", "re");
    cr_assert_not_null(header);
    char line[256];
    while (fgets(line, sizeof line, header) != NULL) {
        char from[16];
        char to[16];
        char when[4];
        if (sscanf(line, " * %15[A-Z_] -> %15[A-Z_] %3s", from, to, when) == 3) {
            listed[state_named(from)][state_named(to)]++;
        }
    }
    fclose(header);
}

Test(session_state, transitions)
{
    unsigned listed[NAMES][NAMES] = {0};
    read_list(listed);
    for (int from = 0; from < NAMES; from++) {
        for (int to = 0; to < NAMES; to++) {
            bool allowed = session_state_may_follow((enum session_state)from, (enum session_state)to);
            cr_expect_eq(listed[from][to], allowed, "%s -> %s: listed %u times, allowed: %d", names[from],
                         names[to], listed[from][to], allowed);
        }
    }
}

/* Each state can be reached, and each leads to the end. */
Test(session_state, connected)
{
    for (int state = 0; state < NAMES; state++) {
        bool reached = false;
        for (int from = 0; from < NAMES; from++) {
            reached |= from != state &&
                       session_state_may_follow((enum session_state)from, (enum session_state)state);
        }
        cr_expect(reached || state == STATE_PROXY, "%s", names[state]); /* with which some sessions begin */
        cr_expect(session_state_may_follow((enum session_state)state, STATE_CLOSING), "%s", names[state]);
    }
}
