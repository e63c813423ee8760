/* SPDX-License-Identifier: MIT */
/* The date is read by several threads while it is published: each text read was published whole, and none is older than
 * one read before. Exits 0 if that holds. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"

enum {
    READERS = 2,
    DATES = 150,
    PER_DATE = 40,     /* reads that a reader is given while one date is published again and again */
    FIRST = 951782399, /* with steps that change nearly all of the text */
    STEP = 29 * 86399,
};

static struct scoreboard *scoreboard;
static char texts[DATES][CLOCK_DATE_LENGTH];
static atomic_uint progress[READERS]; /* reads so far */

/* The index of the date published, from `least` on; -1 if there is none. */
static int find(const char *text, int least)
{
    for (int i = least; i < DATES; i++) {
        if (memcmp(texts[i], text, CLOCK_DATE_LENGTH) == 0) {
            return i;
        }
    }
    return -1;
}

static void *reader(void *argument)
{
    atomic_uint *reads = argument;
    char out[SCOREBOARD_DATE_WORDS * 8];
    uint32_t sequence = 0;
    int last = 0;
    while (last < DATES - 1) {
        clock_read_date(scoreboard, out, &sequence);
        int now = find(out, last);
        if (now < 0) {
            fprintf(stderr, "behind date %d: read \"%.29s\"\n", last, out);
            exit(1);
        }
        last = now;
        atomic_fetch_add(reads, 1);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[READERS];
    scoreboard = scoreboard_new(1, 0);
    if (scoreboard == NULL) {
        return 1;
    }
    for (int i = 0; i < DATES; i++) {
        clock_format_date(texts[i], FIRST + (time_t)i * STEP);
    }
    clock_publish_date(scoreboard, FIRST);
    for (int i = 0; i < READERS; i++) {
        if (pthread_create(&threads[i], NULL, reader, &progress[i]) != 0) {
            return 1;
        }
    }
    /* Published as fast as one reader, each in turn, can follow: reads and writes meet at every point. */
    for (int i = 0; i < DATES; i++) {
        unsigned before = atomic_load(&progress[i % READERS]);
        while (atomic_load(&progress[i % READERS]) < before + PER_DATE && i > 0 && i < DATES - 1) {
            clock_publish_date(scoreboard, FIRST + (time_t)i * STEP);
        }
        clock_publish_date(scoreboard, FIRST + (time_t)i * STEP);
    }
    for (int i = 0; i < READERS; i++) {
        pthread_join(threads[i], NULL);
    }
    scoreboard_free(scoreboard);
    return 0;
}
