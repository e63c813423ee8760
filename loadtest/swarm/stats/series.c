/* SPDX-License-Identifier: MIT */
/* One histogram serves all rows: a row's percentiles are taken when the next one begins. */
#include "loadtest/swarm/stats/series.h"

#include <stdlib.h>
#include <string.h>

bool series_init(struct series *series, uint64_t interval, uint64_t duration)
{
    if (interval == 0) {
        return true;
    }
    series->interval = interval;
    series->duration = duration;
    series->count = (size_t)((duration + interval - 1) / interval);
    series->rows = calloc(series->count, sizeof(*series->rows));
    return series->rows != NULL;
}

void series_deinit(struct series *series)
{
    free(series->rows);
    series->rows = NULL;
    series->count = 0;
}

static void series_complete_row(struct series *series)
{
    struct series_row *row = &series->rows[series->at++];
    row->p50 = histogram_percentile(&series->latency, 50000);
    row->p99 = histogram_percentile(&series->latency, 99000);
    if (series->latency.count != 0) {
        memset(&series->latency, 0, sizeof(series->latency));
    }
}

/* The row of `now`, which becomes the current one; NULL behind the end. */
static struct series_row *series_row_at(struct series *series, uint64_t now)
{
    while (series->at < series->count && (series->at + 1) * series->interval <= now) {
        series_complete_row(series);
    }
    return series->at < series->count ? &series->rows[series->at] : NULL;
}

void series_offered(struct series *series, uint64_t now)
{
    struct series_row *row = series_row_at(series, now);
    if (row != NULL) {
        row->offered++;
    }
}

void series_settled(struct series *series, const struct settled *settled, uint64_t now)
{
    struct series_row *row = series_row_at(series, now);
    if (row == NULL) {
        return;
    }
    row->good += settled->outcome == OUTCOME_RIGHT;
    row->late += settled->outcome == OUTCOME_LATE;
    row->refused += settled->outcome == OUTCOME_REFUSED;
    row->failed += settled->outcome >= OUTCOME_FIRST_ERROR;
    if (outcome_is_right(settled->outcome)) {
        histogram_record(&series->latency, settled->now - settled->due);
    }
}

size_t series_end(struct series *series, uint64_t now)
{
    uint64_t end = now < series->duration ? now : series->duration;
    if (series_row_at(series, end) != NULL && end > series->at * series->interval) {
        series_complete_row(series);
    }
    return series->at;
}

uint64_t series_row_end(const struct series *series, size_t index, uint64_t now)
{
    uint64_t end = (index + 1) * series->interval;
    end = end < series->duration ? end : series->duration;
    return end < now ? end : now;
}
