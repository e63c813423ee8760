/* SPDX-License-Identifier: MIT */
/* For the server: what fails is said by the variable FAILING, "FIRST", "FIRST+" (all behind it too) or "FIRST:ONE_IN:SEED".
 * SIGRTMIN ends it, the signal behind that begins it anew; with FAILING_LATER it begins then only. */
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/failing/failing.h"

static void on_signal(int number)
{
    failing_pause(number == SIGRTMIN);
}

__attribute__((constructor)) static void failing_begin(void)
{
    const char *text = getenv("FAILING");
    struct failing how = {.first = UINT64_MAX};
    unsigned long long first = 0;
    unsigned long long one_in = 0;
    unsigned long long seed = 0;
    if (text != NULL && sscanf(text, "%llu:%llu:%llu", &first, &one_in, &seed) >= 1) {
        how = (struct failing){
            .first = first, .one_in = one_in, .seed = seed, .all_after = strchr(text, '+') != NULL};
    }
    event_set_mem_functions(failing_malloc, failing_realloc, free);
    failing_start(how);
    failing_pause(getenv("FAILING_LATER") != NULL);
    sigaction(SIGRTMIN, &(struct sigaction){.sa_handler = on_signal, .sa_flags = SA_RESTART}, NULL);
    sigaction(SIGRTMIN + 1, &(struct sigaction){.sa_handler = on_signal, .sa_flags = SA_RESTART}, NULL);
}

/* How many there were, so that a test knows where to end. */
__attribute__((destructor)) static void failing_end(void)
{
    if (getenv("FAILING_COUNT") != NULL) {
        fprintf(stderr, "%llu allocations\n", (unsigned long long)failing_count());
    }
}
