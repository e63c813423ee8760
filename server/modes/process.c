/* SPDX-License-Identifier: MIT */
/* --mode process: a process for each connection. The parent stays single-threaded: it accepts, forks and reaps. */
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/sync.h"
#include "server/drivers/blocking/blocking.h"
#include "server/modes/mode.h"
#include "server/net/warn.h"
#include "server/drivers/shared/counters_pool.h"
#include "server/system/usage.h"
#include "server/drivers/blocking/interrupt.h"

struct child {
    pid_t id; /* 0: free */
    struct counters *counters;
};

struct processes {
    struct server *server;
    struct counters_pool pool;
    struct child
        *children; /* open addressing by process id; a power of two, at least twice the connections */
    size_t size;
    int signals; /* a signalfd for SIGCHLD */
    struct event reap_event;
};

/* ---- the table of children ---- */

static size_t children_home(const struct processes *processes, pid_t id)
{
    return (size_t)id * 2654435761u & (processes->size - 1);
}

static void children_add(struct processes *processes, pid_t id, struct counters *counters)
{
    size_t i = children_home(processes, id);
    while (processes->children[i].id != 0) {
        i = (i + 1) & (processes->size - 1);
    }
    processes->children[i] = (struct child){.id = id, .counters = counters};
}

/* Removes a child from the table, and adds the entries after it again, so that a search still finds them. Returns the
 * child's counters; NULL if it is not in the table. */
static struct counters *children_remove(struct processes *processes, pid_t id)
{
    size_t mask = processes->size - 1;
    size_t i = children_home(processes, id);
    while (processes->children[i].id != id) {
        if (processes->children[i].id == 0) {
            return NULL;
        }
        i = (i + 1) & mask;
    }
    struct counters *counters = processes->children[i].counters;
    processes->children[i].id = 0;
    for (size_t j = (i + 1) & mask; processes->children[j].id != 0; j = (j + 1) & mask) {
        struct child moved = processes->children[j];
        processes->children[j].id = 0;
        children_add(processes, moved.id, moved.counters);
    }
    return counters;
}

/* ---- the child ---- */

/* All but the standard ones and these two, of which the second may be none. */
static void close_others(int fd, int other)
{
    int low = fd < other ? fd : other;
    int high = fd < other ? other : fd;
    if (low > STDERR_FILENO) {
        close_range(STDERR_FILENO + 1, (unsigned)low - 1, 0);
    } else {
        low = STDERR_FILENO;
    }
    close_range((unsigned)low + 1, (unsigned)high - 1, 0);
    close_range((unsigned)high + 1, ~0u, 0);
}

static struct access_log *child_log;
/* Untouched in the parent: each child has its own pages of it. Not within a function, so that tools/echod-gdb.py finds it by its name. */
static struct blocking child_blocking;

static void child_on_interrupt(void)
{
    access_log_follow(child_log);
}

/* INTERRUPT_SIGNAL, which wakes the child, also tells it that the access log was reopened. The last call makes up for a
 * signal that arrived before the handler was set. */
static void child_follow_log(struct access_log *log)
{
    log->child = true;
    child_log = log;
    interrupt_call(child_on_interrupt);
    access_log_follow(log);
}

static void __attribute__((noreturn))
child_main(struct server *server, const struct accepted *accepted, struct counters *counters)
{
    sigset_t interrupt;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != server->service.scoreboard->process) {
        _exit(0); /* the parent has died before it could be asked for */
    }
    close_others(accepted->fd, server->log->fd);
    child_follow_log(server->log);
    sigemptyset(&interrupt);
    sigaddset(&interrupt, INTERRUPT_SIGNAL);
    sigprocmask(SIG_UNBLOCK, &interrupt, NULL);
    trace_thread_begin(TRACE_PROCESS, accepted->number);
    blocking_init(&child_blocking, server, &server->service.scoreboard->closing);
    blocking_serve(&child_blocking, accepted, counters, REFUSAL_NOT);
    TRACE(close, accepted->number, UINT64_C(0));
    trace_thread_end();
    _exit(0);
}

/* ---- the parent ---- */

static int process_serve(struct server *server, const struct accepted *accepted)
{
    struct processes *processes = server->mode_state;
    struct counters *counters = counters_pool_take(&processes->pool);
    if (counters == NULL) {
        return -EAGAIN;
    }
    pid_t id = fork();
    if (id < 0) {
        int error = -errno;
        counters_pool_give(&processes->pool, counters);
        return error;
    }
    if (id == 0) {
        child_main(server, accepted, counters);
    }
    atomic_store_explicit(&counters->process, id, memory_order_relaxed);
    children_add(processes, id, counters);
    close(accepted->fd);
    return 0;
}

/* The child is not added to the table, so nothing is counted when it is reaped. */
static int process_probe(struct server *server)
{
    (void)server;
    pid_t id = fork();
    if (id == 0) {
        _exit(0);
    }
    return id < 0 ? -errno : 0;
}

static void count_reaped(struct scoreboard *scoreboard, const struct rusage *usage)
{
    uint64_t us = (uint64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000 +
                  (uint64_t)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec);
    counters_add(&scoreboard->reaped_cpu_us, us);
    counters_add(&scoreboard->reaped_voluntary, (uint64_t)usage->ru_nvcsw);
    counters_add(&scoreboard->reaped_involuntary, (uint64_t)usage->ru_nivcsw);
}

static void process_ended(struct processes *processes, pid_t id, int status, const struct rusage *usage)
{
    struct scoreboard *scoreboard = processes->server->service.scoreboard;
    struct counters *counters = children_remove(processes, id);
    if (counters == NULL) {
        return;
    }
    count_reaped(scoreboard, usage);
    if (WIFSIGNALED(status)) {
        warn("process %d was killed by signal %d: its connection is lost", (int)id, WTERMSIG(status));
        counters_add(&scoreboard->crashed, 1);
    } else if (WEXITSTATUS(status) != 0) {
        warn("process %d ended with status %d: its connection is lost", (int)id, WEXITSTATUS(status));
        counters_add(&scoreboard->crashed, 1);
    }
    if (WIFSIGNALED(status) || WEXITSTATUS(status) != 0) {
        trace_process_ended(id);
    }
    /* What it held died with it. */
    uint64_t held = atomic_exchange_explicit(&counters->held, 0, memory_order_relaxed);
    atomic_fetch_sub_explicit(&scoreboard->held, held, memory_order_relaxed);
    atomic_store_explicit(&counters->process, 0, memory_order_relaxed);
    counters_show(counters, ACTIVITY_NONE);
    counters_pool_give(&processes->pool, counters);
    blocking_leave(&processes->server->connections, counters);
}

static void process_on_child(evutil_socket_t fd, short events, void *arg)
{
    struct processes *processes = arg;
    struct signalfd_siginfo info[16];
    (void)events;
    while (read(fd, info, sizeof info) > 0) {
    }
    struct rusage usage;
    int status;
    pid_t id;
    while ((id = wait4(-1, &status, WNOHANG, &usage)) > 0) {
        process_ended(processes, id, status, &usage);
    }
}

static void process_wake_all(struct server *server)
{
    struct processes *processes = server->mode_state;
    for (size_t i = 0; i < processes->size; i++) {
        const struct child *child = &processes->children[i];
        if (child->id != 0 && blocking_must_interrupt(server, child->counters)) {
            kill(child->id, INTERRUPT_SIGNAL);
        }
    }
}

static void process_drain(struct server *server)
{
    process_wake_all(server);
}

/* A child that is idle would keep the old file, and its space on the disk, until its next line or its end. */
static void process_log_reopened(struct server *server)
{
    if (server->options->access_log != NULL) {
        process_wake_all(server);
    }
}

static void process_report(struct server *server, struct report *report)
{
    report_counters(report, SERVER_MODE_COUNTERS, server->max_connections);
}

static int process_watch_children(struct processes *processes)
{
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    signal(SIGCHLD, SIG_DFL); /* ours are to be waited for */
    sigprocmask(SIG_BLOCK, &child, NULL);
    processes->signals = signalfd(-1, &child, SFD_NONBLOCK | SFD_CLOEXEC);
    if (processes->signals < 0) {
        return -errno;
    }
    event_assign(&processes->reap_event, processes->server->base, processes->signals, EV_READ | EV_PERSIST,
                 process_on_child, processes);
    return event_add(&processes->reap_event, NULL) == 0 ? 0 : -ENOMEM;
}

static int process_start(struct server *server)
{
    interrupt_init();
    server->service.scoreboard->process = getpid();
    struct processes *processes = calloc(1, sizeof *processes);
    if (processes == NULL) {
        return -ENOMEM;
    }
    processes->server = server;
    processes->size = 16;
    while (processes->size < 2 * (size_t)server->max_connections) {
        processes->size *= 2;
    }
    processes->children = calloc(processes->size, sizeof *processes->children);
    int error = processes->children == NULL
                    ? -ENOMEM
                    : counters_pool_init(&processes->pool, server->service.scoreboard, SERVER_MODE_COUNTERS);
    if (error == 0) {
        error = usage_sample_children(server->base, server->service.scoreboard);
    }
    if (error == 0) {
        error = process_watch_children(processes);
    }
    server->mode_state = processes; /* on an error the process ends: nothing else is undone */
    return error;
}

static void process_stop(struct server *server)
{
    struct processes *processes = server->mode_state;
    usage_sample_end();
    event_del(&processes->reap_event);
    close(processes->signals);
    counters_pool_deinit(&processes->pool);
    free(processes->children);
    free(processes);
}

const struct mode mode_process = {
    .name = "process",
    .summary = "one process per connection",
    .cost = LIMITS_PROCESS,
    .descriptors = 1, /* a signalfd */
    .start = process_start,
    .serve = process_serve,
    .probe = process_probe,
    .drain = process_drain,
    .log_reopened = process_log_reopened,
    .report = process_report,
    .stop = process_stop,
};
