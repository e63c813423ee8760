/* SPDX-License-Identifier: MIT */
/* /metrics: adds up all counters and writes the page, in Prometheus's text format, version 0.0.4. Names and units
 * follow its conventions. */
#include <stdarg.h>
#include <stdio.h>

#include "common/handlers/routes.h"

/* Of counters_bounds_us, in seconds. */
static const char *const bounds[COUNTERS_BUCKETS] = {"0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025",
                                                     "0.05",   "0.1",   "0.25",   "1",     "10",   "+Inf"};
static const char *const refusals[REFUSAL_KINDS] = {
    [REFUSAL_FULL] = "full",
    [REFUSAL_QUEUE] = "queue",
    [REFUSAL_MEMORY] = "memory",
    [REFUSAL_SYSTEM] = "system",
};

struct sums {
    uint64_t answers[COUNTERS_CLASSES];
    uint64_t received;
    uint64_t sent;
    uint64_t connections;
    uint64_t durations[COUNTERS_BUCKETS];
    uint64_t duration_us;
    uint64_t refusals[REFUSAL_KINDS];
    uint64_t busy_us;
    uint64_t log_lines;
    uint64_t log_lost;
    uint64_t bad_proxy_headers;
    uint64_t faults[COUNTERS_FAULTS];
};

static void sum_counters(uint64_t *sums, const _Atomic uint64_t *counters, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sums[i] += atomic_load_explicit(&counters[i], memory_order_relaxed);
    }
}

static void sum_scoreboard(struct sums *sums, const struct scoreboard *scoreboard)
{
    size_t lent = atomic_load_explicit(&scoreboard->counters_claimed, memory_order_acquire);
    for (size_t i = 0; i < lent && i < scoreboard->counters_count; i++) {
        const struct counters *counters = &scoreboard->counters[i];
        sum_counters(sums->answers, counters->answers, COUNTERS_CLASSES);
        sum_counters(&sums->received, &counters->received, 1);
        sum_counters(&sums->sent, &counters->sent, 1);
        sum_counters(&sums->connections, &counters->connections, 1);
        sum_counters(sums->durations, counters->durations, COUNTERS_BUCKETS);
        sum_counters(&sums->duration_us, &counters->duration_us, 1);
        sum_counters(sums->refusals, counters->refusals, REFUSAL_KINDS);
        sum_counters(&sums->busy_us, &counters->busy_us, 1);
        sum_counters(&sums->log_lines, &counters->log_lines, 1);
        sum_counters(&sums->log_lost, &counters->log_lost, 1);
        sum_counters(&sums->bad_proxy_headers, &counters->bad_proxy_headers, 1);
        if (atomic_load_explicit(&scoreboard->rare_used, memory_order_relaxed)) {
            sum_counters(sums->faults, counters_rare(scoreboard, counters)->faults, COUNTERS_FAULTS);
        }
    }
}

struct page {
    struct buffer *text;
    const char *mode;
    struct budget budget;
    int error;
};

static void __attribute__((format(printf, 2, 3))) line(struct page *page, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (page->error == 0) {
        page->error = buffer_append(&page->text, text, (size_t)length, page->budget, BUDGET_MAY_REFUSE);
    }
}

static void describe(struct page *page, const char *name, const char *type, const char *help)
{
    line(page, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void single(struct page *page, const char *name, const char *type, const char *help, uint64_t value)
{
    describe(page, name, type, help);
    line(page, "%s{mode=\"%s\"} %llu\n", name, page->mode, (unsigned long long)value);
}

static void seconds(struct page *page, const char *name, const char *help, uint64_t us)
{
    describe(page, name, "counter", help);
    line(page, "%s{mode=\"%s\"} %llu.%06llu\n", name, page->mode, (unsigned long long)(us / 1000000),
         (unsigned long long)(us % 1000000));
}

static void labelled(struct page *page, const char *name, const char *label, const char *value,
                     uint64_t count)
{
    line(page, "%s{mode=\"%s\",%s=\"%s\"} %llu\n", name, page->mode, label, value, (unsigned long long)count);
}

static uint64_t write_requests(struct page *page, const struct sums *sums)
{
    static const char *const classes[COUNTERS_CLASSES] = {"2xx", "3xx", "4xx", "5xx"};
    uint64_t total = 0;
    describe(page, "echod_requests_total", "counter", "Answers started, by status class.");
    for (int i = 0; i < COUNTERS_CLASSES; i++) {
        labelled(page, "echod_requests_total", "code", classes[i], sums->answers[i]);
        total += sums->answers[i];
    }
    return total;
}

/* Requests that were answered in one pass have no time of their own: they stand in the first bucket. */
static void write_durations(struct page *page, const struct sums *sums, uint64_t requests)
{
    const char *name = "echod_request_duration_seconds";
    uint64_t slow = 0;
    for (int i = 0; i < COUNTERS_BUCKETS; i++) {
        slow += sums->durations[i];
    }
    uint64_t count = requests > slow ? requests - slow : 0;
    describe(page, name, "histogram", "Time from a request's first byte until its answer is complete.");
    for (int i = 0; i < COUNTERS_BUCKETS; i++) {
        count += sums->durations[i];
        line(page, "%s_bucket{mode=\"%s\",le=\"%s\"} %llu\n", name, page->mode, bounds[i],
             (unsigned long long)count);
    }
    line(page, "%s_sum{mode=\"%s\"} %llu.%06llu\n", name, page->mode,
         (unsigned long long)(sums->duration_us / 1000000),
         (unsigned long long)(sums->duration_us % 1000000));
    line(page, "%s_count{mode=\"%s\"} %llu\n", name, page->mode, (unsigned long long)count);
}

static void write_refusals(struct page *page, const struct sums *sums)
{
    describe(page, "echod_refusals_total", "counter", "503 answers for lack of resources, by reason.");
    for (int i = REFUSAL_NOT + 1; i < REFUSAL_KINDS; i++) {
        labelled(page, "echod_refusals_total", "reason", refusals[i], sums->refusals[i]);
    }
}

static void write_faults(struct page *page, const struct sums *sums)
{
    describe(page, "echod_faults_total", "counter",
             "Faults that /echo was asked for and carried out, by kind.");
    for (int i = 0; i < FAULT_NAMES; i++) {
        labelled(page, "echod_faults_total", "kind", fault_names[i], sums->faults[i]);
    }
}

/* Asks for the next census; those who ask for the first time find none. */
static void write_states(struct page *page, struct scoreboard *scoreboard)
{
    atomic_store_explicit(&scoreboard->census_asked, true, memory_order_relaxed);
    if (!atomic_load_explicit(&scoreboard->census_known, memory_order_acquire)) {
        return;
    }
    describe(page, "echod_connections", "gauge",
             "Connections by state, counted each second while this is read.");
    for (int i = ACTIVITY_NONE + 1; i < ACTIVITY_KINDS; i++) {
        labelled(page, "echod_connections", "state", activity_names[i],
                 atomic_load_explicit(&scoreboard->census[i], memory_order_relaxed));
    }
}

static void write_usage(struct page *page, const struct service *service)
{
    struct usage usage = {0};
    if (service->usage == NULL) {
        return;
    }
    service->usage(service->scoreboard, &usage);
    seconds(page, "process_cpu_seconds_total", "User and system CPU time, all processes of the server.",
            usage.cpu_us);
    single(page, "process_resident_memory_bytes", "gauge", "Resident memory, all processes of the server.",
           usage.resident_bytes);
    single(page, "process_open_fds", "gauge", "Open descriptors, all processes of the server.",
           usage.descriptors);
    single(page, "echod_threads", "gauge", "Threads, all processes of the server.", usage.threads);
    describe(page, "echod_context_switches_total", "counter",
             "Context switches, all processes of the server.");
    labelled(page, "echod_context_switches_total", "kind", "voluntary", usage.voluntary_switches);
    labelled(page, "echod_context_switches_total", "kind", "involuntary", usage.involuntary_switches);
}

/* Returns 0 or, with `*text` NULL, a negative errno if there is no memory or budget. */
static int write_page(struct buffer **text, const struct service *service, struct budget budget)
{
    struct scoreboard *scoreboard = service->scoreboard;
    struct page page = {.mode = service->mode, .budget = budget};
    struct sums sums = {0};
    sum_scoreboard(&sums, scoreboard);
    describe(&page, "echod_info", "gauge", "Always 1.");
    labelled(&page, "echod_info", "version", service->version, 1);
    uint64_t requests = write_requests(&page, &sums);
    write_durations(&page, &sums, requests);
    single(&page, "echod_connections_total", "counter", "Connections accepted.", sums.connections);
    single(&page, "echod_connections_open", "gauge", "Open connections.",
           atomic_load_explicit(&scoreboard->open, memory_order_relaxed));
    single(&page, "echod_connections_lingering", "gauge", "Open connections that have had their last answer.",
           atomic_load_explicit(&scoreboard->lingering, memory_order_relaxed));
    write_states(&page, scoreboard);
    single(&page, "echod_received_bytes_total", "counter", "Bytes received.", sums.received);
    single(&page, "echod_sent_bytes_total", "counter", "Bytes sent.", sums.sent);
    single(&page, "echod_buffer_bytes", "gauge", "Bytes held for clients, limited by --max-buffer-memory.",
           atomic_load_explicit(&scoreboard->held, memory_order_relaxed));
    write_refusals(&page, &sums);
    write_faults(&page, &sums);
    single(&page, "echod_bad_proxy_headers_total", "counter",
           "Connections closed for a malformed or late PROXY header.", sums.bad_proxy_headers);
    single(&page, "echod_crashed_processes_total", "counter",
           "Connection processes that were killed or failed.",
           atomic_load_explicit(&scoreboard->crashed, memory_order_relaxed));
    int64_t queued = atomic_load_explicit(&scoreboard->queued, memory_order_relaxed);
    single(&page, "echod_queue_depth", "gauge", "Work or connections waiting for a worker.",
           queued > 0 ? (uint64_t)queued : 0);
    seconds(&page, "echod_worker_busy_seconds_total", "Time that workers spent on work.", sums.busy_us);
    single(&page, "echod_access_log_lines_total", "counter", "Access log lines written.", sums.log_lines);
    single(&page, "echod_access_log_lost_lines_total", "counter", "Access log lines lost.", sums.log_lost);
    write_usage(&page, service);
    if (page.error != 0) {
        buffer_free(&page.text, budget);
    }
    *text = page.text;
    return page.error;
}

static void metrics_begin(const struct request *request, struct response *response)
{
    response->content_type = SPAN_LITERAL("text/plain; version=0.0.4; charset=utf-8");
    response->failed = write_page(&response->content, request->service, response->budget) != 0;
}

const struct handler metrics_handler = {.begin = metrics_begin};
