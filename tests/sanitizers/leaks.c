/* SPDX-License-Identifier: MIT */
/* Keeps a block until it exits and, with an argument, loses 99 others: what the leak checker must be silent on, and must find. */
#include <stdlib.h>

static void *volatile kept;
static void *volatile lost; /* all but the last */

int main(int argc, char **argv)
{
    (void)argv;
    kept = malloc(1);
    for (int i = 0; i < 100 && argc > 1; i++) {
        lost = malloc(1);
    }
    return kept == NULL;
}
