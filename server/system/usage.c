/* SPDX-License-Identifier: MIT */
/* getrusage for the own process, because it includes threads that have ended; /proc for other processes, which have one
 * thread each. */
#include "server/system/usage.h"

#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* The children read in one iteration of the loop, each in about 50 us, and the interval: a tenth of a CPU meanwhile. */
enum { SAMPLE_BATCH = 20, SAMPLE_EVERY_MS = 10 };

/* The values last read for the child that owns certain counters. */
struct sample {
    int process;
    struct usage usage;
};

/* Used by the parent, in mode process. */
static struct {
    const struct scoreboard *scoreboard;
    struct sample *samples; /* one for each owner of counters */
    struct event timer;
    size_t next; /* the index of the counters whose child is read next; past the last one: none */
} sampler;

static uint64_t count_descriptors(const char *process)
{
    char path[64];
    struct stat status;
    snprintf(path, sizeof path, "/proc/%s/fd", process);
    if (stat(path, &status) == 0 && status.st_size > 0) {
        return (uint64_t)status.st_size; /* since Linux 6.2; reading 20,000 names takes 20 ms */
    }
    DIR *directory = opendir(path);
    uint64_t count = 0;
    if (directory == NULL) {
        return 0;
    }
    while (readdir(directory) != NULL) {
        count++;
    }
    closedir(directory);
    return count > 2 ? count - 2 : 0; /* . and .. */
}

/* The number behind `name` in a status file's text. */
static uint64_t status_number(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    return at == NULL ? 0 : strtoull(at + strlen(name), NULL, 10);
}

static size_t read_file(const char *process, const char *name, char *text, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%s/%s", process, name);
    FILE *file = fopen(path, "re");
    size_t length = 0;
    if (file != NULL) {
        length = fread(text, 1, size - 1, file);
        fclose(file);
    }
    text[length] = '\0';
    return length;
}

static void add_memory_and_threads(const char *process, struct usage *usage)
{
    char text[4096];
    read_file(process, "status", text, sizeof text);
    usage->threads += status_number(text, "\nThreads:");
    usage->resident_bytes += status_number(text, "\nVmRSS:") * 1024;
    usage->descriptors += count_descriptors(process);
}

static uint64_t timeval_us(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec;
}

static void add_self(struct usage *usage)
{
    struct rusage own;
    getrusage(RUSAGE_SELF, &own);
    usage->cpu_us += timeval_us(own.ru_utime) + timeval_us(own.ru_stime);
    usage->voluntary_switches += (uint64_t)own.ru_nvcsw;
    usage->involuntary_switches += (uint64_t)own.ru_nivcsw;
    add_memory_and_threads("self", usage);
}

/* Returns the CPU time in a stat file: the 12th and 13th fields after the name, which may contain any characters. */
static uint64_t stat_ticks(const char *text)
{
    const char *at = strrchr(text, ')');
    for (int field = 0; at != NULL && field < 12; field++) {
        at = strchr(at + 1, ' ');
    }
    if (at == NULL) {
        return 0;
    }
    char *behind = NULL;
    uint64_t user = strtoull(at, &behind, 10);
    return user + strtoull(behind, NULL, 10);
}

static void add_process(int id, struct usage *usage)
{
    char process[16];
    char text[4096];
    snprintf(process, sizeof(process), "%d", id);
    if (read_file(process, "stat", text, sizeof(text)) == 0) {
        return; /* it has ended */
    }
    usage->cpu_us += stat_ticks(text) * (1000000 / (uint64_t)sysconf(_SC_CLK_TCK));
    read_file(process, "status", text, sizeof(text));
    usage->voluntary_switches += status_number(text, "\nvoluntary_ctxt_switches:");
    usage->involuntary_switches += status_number(text, "\nnonvoluntary_ctxt_switches:");
    add_memory_and_threads(process, usage);
}

static size_t counters_claimed(const struct scoreboard *scoreboard)
{
    size_t lent = atomic_load_explicit(&scoreboard->counters_claimed, memory_order_acquire);
    return lent < scoreboard->counters_count ? lent : scoreboard->counters_count;
}

static int child_of(const struct scoreboard *scoreboard, size_t index)
{
    return atomic_load_explicit(&scoreboard->counters[index].process, memory_order_relaxed);
}

static void add_children(const struct scoreboard *scoreboard, struct usage *usage)
{
    for (size_t i = 0, lent = counters_claimed(scoreboard); i < lent; i++) {
        int child = child_of(scoreboard, i);
        if (child != 0) {
            add_process(child, usage);
        }
    }
}

/* Reads the next children; false when there are no more. */
static bool sample_some(void)
{
    size_t lent = counters_claimed(sampler.scoreboard);
    for (int left = SAMPLE_BATCH; left > 0 && sampler.next < lent; sampler.next++) {
        struct sample *sample = &sampler.samples[sampler.next];
        int child = child_of(sampler.scoreboard, sampler.next);
        if (child != 0) {
            *sample = (struct sample){.process = child};
            add_process(child, &sample->usage);
            left--;
        }
    }
    return sampler.next < lent;
}

static void sample_later(void)
{
    static const struct timeval pause = {.tv_usec = SAMPLE_EVERY_MS * 1000L};
    event_add(&sampler.timer, &pause);
}

static void on_sample_timer(evutil_socket_t fd, short events, void *arg)
{
    (void)fd;
    (void)events;
    (void)arg;
    if (sample_some()) {
        sample_later();
    }
}

/* A child that was not read yet counts as a thread. */
static void add_samples(struct usage *usage)
{
    for (size_t i = 0, lent = counters_claimed(sampler.scoreboard); i < lent; i++) {
        const struct sample *sample = &sampler.samples[i];
        int child = child_of(sampler.scoreboard, i);
        if (child != 0 && sample->process == child) {
            usage->cpu_us += sample->usage.cpu_us;
            usage->resident_bytes += sample->usage.resident_bytes;
            usage->descriptors += sample->usage.descriptors;
            usage->threads += sample->usage.threads;
            usage->voluntary_switches += sample->usage.voluntary_switches;
            usage->involuntary_switches += sample->usage.involuntary_switches;
        } else if (child != 0) {
            usage->threads++;
        }
    }
}

static void sample_and_add(struct usage *usage)
{
    if (!event_pending(&sampler.timer, EV_TIMEOUT, NULL)) {
        sampler.next = 0;
        if (sample_some()) {
            sample_later();
        }
    }
    add_samples(usage);
}

int usage_sample_children(struct event_base *base, const struct scoreboard *scoreboard)
{
    sampler.samples = calloc(scoreboard->counters_count, sizeof *sampler.samples);
    if (sampler.samples == NULL) {
        return -ENOMEM;
    }
    sampler.scoreboard = scoreboard;
    sampler.next = 0;
    event_assign(&sampler.timer, base, -1, 0, on_sample_timer, NULL);
    return 0;
}

void usage_sample_end(void)
{
    event_del(&sampler.timer);
    free(sampler.samples);
    sampler.samples = NULL;
}

void usage_read(const struct scoreboard *scoreboard, struct usage *usage)
{
    int parent = scoreboard->process;
    if (parent == 0) {
        add_self(usage);
        return;
    }
    if (getpid() == parent && sampler.samples != NULL) {
        sample_and_add(usage);
    } else {
        add_children(scoreboard, usage);
    }
    add_process(parent, usage);
    usage->cpu_us += atomic_load_explicit(&scoreboard->reaped_cpu_us, memory_order_relaxed);
    usage->voluntary_switches += atomic_load_explicit(&scoreboard->reaped_voluntary, memory_order_relaxed);
    usage->involuntary_switches +=
        atomic_load_explicit(&scoreboard->reaped_involuntary, memory_order_relaxed);
}
