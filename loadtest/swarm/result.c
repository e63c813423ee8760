/* SPDX-License-Identifier: MIT */
/* Writes JSON straight to the stream: the few strings in it are escaped, all else is numbers. */
#include "loadtest/swarm/result.h"

#include <inttypes.h>

#include "loadtest/swarm/timing/nanoseconds.h"

#define ERASE "\r\033[K"

static void write_string(FILE *out, const char *text)
{
    putc('"', out);
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            fprintf(out, "\\%c", c);
        } else if (c < ' ' || c >= 0x7f) {
            fprintf(out, "\\u%04x", c);
        } else {
            putc(c, out);
        }
    }
    putc('"', out);
}

/* A number of which nothing is known is null. */
static void write_number(FILE *out, const char *name, bool known, double number)
{
    if (known) {
        fprintf(out, "\"%s\": %.3f", name, number);
    } else {
        fprintf(out, "\"%s\": null", name);
    }
}

/* So many in so long, per second. */
static void write_rate(FILE *out, const char *name, uint64_t count, uint64_t duration)
{
    write_number(out, name, duration > 0, (double)count / nanoseconds_to_seconds(duration));
}

static double microseconds(uint64_t duration)
{
    return (double)duration / 1000;
}

void result_print_held(FILE *out, const struct run *run)
{
    struct client_group_connections sum = {0};
    struct client_group_greeted greeted = {0};
    size_t open = 0;
    for (unsigned i = 0; i < run->client_group_count; i++) {
        const struct client_group *group = &run->groups[i];
        sum.asked += group->count.asked;
        sum.opened += group->count.opened;
        sum.failed += group->count.failed;
        greeted.answered += group->greeted.answered;
        greeted.refused += group->greeted.refused;
        open += client_group_open_count(group);
    }
    fprintf(out,
            "{\"event\": \"held\", \"asked\": %zu, \"opened\": %zu, \"failed\": %zu, \"open\": %zu, "
            "\"answered\": %zu, "
            "\"refused\": %zu, \"connect_s\": %.6f}\n",
            sum.asked, sum.opened, sum.failed, open, greeted.answered, greeted.refused,
            nanoseconds_to_seconds(run->held - run->began));
}

static const char *model_name(const struct options_class *of)
{
    return of->hold ? "hold" : of->rate != 0 ? "rate" : "closed";
}

static void write_connections(FILE *out, const struct client_group *group)
{
    const struct client_group_connections *count = &group->count;
    fprintf(out,
            "\"connections\": {\"asked\": %zu, \"opened\": %zu, \"failed\": %zu, \"reopened\": %zu, "
            "\"closed\": %zu, "
            "\"open\": %zu}, \"greeted\": {\"answered\": %zu, \"refused\": %zu, \"failed\": %zu}, ",
            count->asked, count->opened, count->failed, count->reopened, count->closed,
            client_group_open_count(group), group->greeted.answered, group->greeted.refused,
            group->greeted.failed);
}

static void write_requests(FILE *out, const struct client_group *group, const struct run *run)
{
    const struct stats *stats = &group->stats;
    uint64_t window = run_window(run);
    uint64_t unsent = client_group_unsent(group, run->over);
    write_number(out, "asked_rate", group->of->rate != 0, (double)group->of->rate);
    fputs(", ", out);
    write_rate(out, "offered_rate", stats->offered, window);
    fputs(", ", out);
    write_rate(out, "achieved_rate", stats->came, window);
    fputs(", ", out);
    write_rate(out, "goodput", stats->good, window);
    fputs(", ", out);
    write_number(out, "deadline_s", group->of->deadline_ms != 0, (double)group->of->deadline_ms / 1000);
    fprintf(out,
            ", \"requests\": %" PRIu64 ", \"answers\": %" PRIu64 ", \"late\": %" PRIu64
            ", \"refused\": %" PRIu64 ", \"unsent\": %" PRIu64 ", \"unfinished\": %" PRIu64 ", ",
            stats->begun + unsent, stats->outcomes[OUTCOME_RIGHT], stats->outcomes[OUTCOME_LATE],
            stats->outcomes[OUTCOME_REFUSED], unsent, stats_unfinished(stats));
}

static void write_errors(FILE *out, const struct stats *stats)
{
    fputs("\"errors\": {", out);
    for (unsigned i = OUTCOME_FIRST_ERROR; i < OUTCOME_TOTAL; i++) {
        fprintf(out, "%s\"%s\": %" PRIu64, i == OUTCOME_FIRST_ERROR ? "" : ", ",
                outcome_name((enum outcome)i), stats->outcomes[i]);
    }
    fputs("}, \"first_error\": ", out);
    if (stats->first_error[0] != '\0') {
        write_string(out, stats->first_error);
    } else {
        fputs("null", out);
    }
    fputs(", \"statuses\": {", out);
    const char *separator = "";
    for (unsigned status = 0; status < STATS_STATUSES; status++) {
        if (stats->statuses[status] != 0) {
            fprintf(out, "%s\"%u\": %" PRIu64, separator, status, stats->statuses[status]);
            separator = ", ";
        }
    }
    fputs("}, ", out);
}

static void write_buckets(FILE *out, const struct histogram *latency)
{
    const char *separator = "";
    fputs(", \"buckets\": [", out);
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        if (latency->counts[i] != 0) {
            fprintf(out, "%s[%.3f, %" PRIu64 "]", separator, microseconds(histogram_upper_end(i)),
                    latency->counts[i]);
            separator = ", ";
        }
    }
    fputs("]", out);
}

static void write_latency(FILE *out, const char *name, const struct histogram *latency, bool buckets)
{
    static const struct {
        const char *name;
        uint64_t percentile;
    } percentiles[] = {{"p50", 50000}, {"p90", 90000}, {"p99", 99000}, {"p99.9", 99900}};
    bool known = latency->count > 0;
    fprintf(out, "\"%s\": {\"samples\": %" PRIu64 ", ", name, latency->count);
    write_number(out, "min", known, microseconds(latency->least));
    fputs(", ", out);
    write_number(out, "mean", known, histogram_mean(latency) / 1000);
    for (size_t i = 0; i < sizeof(percentiles) / sizeof(percentiles[0]); i++) {
        fputs(", ", out);
        write_number(out, percentiles[i].name, known,
                     microseconds(histogram_percentile(latency, percentiles[i].percentile)));
    }
    fputs(", ", out);
    write_number(out, "max", known, microseconds(latency->most));
    if (buckets) {
        write_buckets(out, latency);
    }
    fputs("}", out);
}

static void write_row(FILE *out, const struct series *series, size_t index, uint64_t window)
{
    const struct series_row *row = &series->rows[index];
    uint64_t end = series_row_end(series, index, window);
    uint64_t length = end - index * series->interval;
    bool known = row->good + row->late > 0;
    fprintf(out, "%s{\"end_s\": %.3f, ", index == 0 ? "" : ", ", nanoseconds_to_seconds(end));
    write_rate(out, "offered", row->offered, length);
    fputs(", ", out);
    write_rate(out, "goodput", row->good, length);
    fputs(", ", out);
    write_rate(out, "late", row->late, length);
    fputs(", ", out);
    write_rate(out, "refused", row->refused, length);
    fputs(", ", out);
    write_rate(out, "failed", row->failed, length);
    fputs(", ", out);
    write_number(out, "p50_us", known, microseconds(row->p50));
    fputs(", ", out);
    write_number(out, "p99_us", known, microseconds(row->p99));
    fputs("}", out);
}

static void write_series(FILE *out, const struct series *series, uint64_t window)
{
    fputs(", \"series\": [", out);
    for (size_t i = 0; i < series->at; i++) {
        write_row(out, series, i, window);
    }
    fputs("]", out);
}

static void write_class(FILE *out, const struct client_group *group, const struct run *run)
{
    const struct stats *stats = &group->stats;
    fputs("{\"name\": ", out);
    write_string(out, group->of->name);
    fprintf(out, ", \"model\": \"%s\", \"path\": ", model_name(group->of));
    write_string(out, group->of->path != NULL ? group->of->path : "");
    fputs(", ", out);
    write_connections(out, group);
    write_requests(out, group, run);
    write_errors(out, stats);
    fprintf(out,
            "\"bytes\": {\"sent\": %" PRIu64 ", \"received\": %" PRIu64 "}, \"waited\": {\"count\": %" PRIu64
            ", \"max_us\": %.3f}, \"delayed\": {\"count\": %" PRIu64 ", \"max_us\": %.3f}, ",
            stats->bytes_sent, stats->bytes_received, stats->waited, microseconds(stats->longest_wait),
            stats->delayed, microseconds(stats->longest_delay));
    write_number(out, "last_answer_s", group->last_answer != 0,
                 nanoseconds_to_seconds(group->last_answer - group->first_begun));
    fputs(", ", out);
    write_latency(out, "latency_us", &stats->latency, run->shared.options->buckets);
    fputs(", ", out);
    write_latency(out, "late_us", &stats->late, run->shared.options->buckets);
    if (group->series.count > 0) {
        write_series(out, &group->series, run_window(run));
    }
    fputs("}", out);
}

static const char *end_name(enum run_end end)
{
    switch (end) {
    case RUN_DURATION: return "duration";
    case RUN_REQUESTS: return "requests";
    case RUN_UNOPENED: return "unopened";
    case RUN_INTERRUPTED: return "interrupted";
    }
    __builtin_unreachable();
}

void result_print(FILE *out, const struct run *run)
{
    double window = nanoseconds_to_seconds(run_window(run));
    double cpu = nanoseconds_to_seconds(run->cpu_end - run->cpu_begin);
    fprintf(out,
            "{\"event\": \"result\", \"format\": \"echod-swarm\", \"version\": 2, \"complete\": %s, "
            "\"ended\": \"%s\", ",
            run->end == RUN_DURATION || run->end == RUN_REQUESTS ? "true" : "false", end_name(run->end));
    fprintf(out, "\"window_s\": %.6f, \"warmup_s\": %.3f, ", window,
            (double)run->shared.options->warmup_ms / 1000);
    write_number(out, "connect_s", run->held != 0, nanoseconds_to_seconds(run->held - run->began));
    fprintf(out, ", \"client_cpu_s\": %.6f, ", cpu);
    write_number(out, "client_cpu_share", window > 0, cpu / window);
    fputs(", \"classes\": [", out);
    for (unsigned i = 0; i < run->client_group_count; i++) {
        fputs(i == 0 ? "" : ", ", out);
        write_class(out, &run->groups[i], run);
    }
    fputs("]}\n", out);
}

static void progress_of_load(FILE *out, const struct run *run)
{
    const struct shared *shared = &run->shared;
    uint64_t now = nanoseconds_now();
    uint64_t answers = 0;
    uint64_t errors = 0;
    for (unsigned i = 0; i < run->client_group_count; i++) {
        answers += run->groups[i].stats.outcomes[OUTCOME_RIGHT];
        errors += stats_errors(&run->groups[i].stats);
    }
    if (now < shared->window_begin) {
        fprintf(out, "warm-up, %.0f s left", nanoseconds_to_seconds(shared->window_begin - now));
        return;
    }
    fprintf(out, "%.1f s", nanoseconds_to_seconds(now - shared->window_begin));
    if (shared->window_end != NANOSECONDS_NEVER) {
        fprintf(out, " of %.1f s", (double)shared->options->duration_ms / 1000);
    }
    fprintf(out, ", %" PRIu64 " answers, %" PRIu64 " errors", answers, errors);
}

void result_print_progress(FILE *out, const struct run *run)
{
    size_t asked = 0;
    size_t opened = 0;
    for (unsigned i = 0; i < run->client_group_count; i++) {
        asked += run->groups[i].count.asked;
        opened += run->groups[i].count.opened;
    }
    fputs(ERASE "swarm: ", out);
    switch (run->shared.phase) {
    case PHASE_OPENING: fprintf(out, "%zu of %zu connections open", opened, asked); break;
    case PHASE_GATE: fprintf(out, "%zu connections held; a line on stdin goes on", opened); break;
    case PHASE_LOAD:
    case PHASE_GRACE: progress_of_load(out, run); break;
    case PHASE_OVER: break;
    }
    fflush(out);
}

void result_print_progress_end(FILE *out)
{
    fputs(ERASE, out);
    fflush(out);
}
