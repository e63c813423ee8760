/* SPDX-License-Identifier: MIT */
/* getrusage for ourselves, it knows of threads that have ended; /proc for other processes, each of one thread. */
#include "server/usage.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static uint64_t count_descriptors(const char *process)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%s/fd", process);
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

/* The CPU time in a stat file: user and system are the 12th and 13th numbers behind the name, which may hold anything. */
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

void usage_read(const struct service *service, struct usage *usage)
{
    const struct shared *shared = service->shared;
    int parent = shared->process;
    if (parent == 0) {
        add_self(usage);
        return;
    }
    size_t lent = atomic_load_explicit(&shared->slots_lent, memory_order_acquire);
    for (size_t i = 0; i < lent && i < shared->slot_count; i++) {
        int child = atomic_load_explicit(&shared->slots[i].process, memory_order_relaxed);
        if (child != 0) {
            add_process(child, usage);
        }
    }
    add_process(parent, usage);
    usage->cpu_us += atomic_load_explicit(&shared->reaped_cpu_us, memory_order_relaxed);
    usage->voluntary_switches += atomic_load_explicit(&shared->reaped_voluntary, memory_order_relaxed);
    usage->involuntary_switches += atomic_load_explicit(&shared->reaped_involuntary, memory_order_relaxed);
}
