/* SPDX-License-Identifier: MIT */
/* The phases, and what leads from one to the next. */
#include "loadtest/swarm/run.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loadtest/swarm/timing/nanoseconds.h"

enum { OPENING_MAX = 256, TICKS_PER_TIMEOUT = 20, TICK_MIN_MS = 5, TICK_MAX_MS = 100 };

#define SHOW_EVERY (NANOSECONDS_PER_SECOND / 2)

static uint64_t cpu_time(void)
{
    struct rusage own;
    getrusage(RUSAGE_SELF, &own);
    return (uint64_t)(own.ru_utime.tv_sec + own.ru_stime.tv_sec) * NANOSECONDS_PER_SECOND +
           (uint64_t)(own.ru_utime.tv_usec + own.ru_stime.tv_usec) * 1000;
}

static void run_over(struct run *run, enum run_end end)
{
    run->end = end;
    run->over = nanoseconds_now();
    for (unsigned i = 0; i < run->client_group_count; i++) {
        series_end(&run->groups[i].series, run_window(run));
    }
    if (run->shared.counting) {
        run->cpu_end = cpu_time();
        run->shared.counting = false;
    }
    run->shared.phase = PHASE_OVER;
    event_base_loopbreak(run->shared.base);
}

static void run_set_turn(struct run *run, uint64_t instant)
{
    uint64_t now = nanoseconds_now();
    struct timeval delay = nanoseconds_timeval(instant > now ? instant - now : 0);
    if (instant != NANOSECONDS_NEVER) {
        event_add(run->turn, &delay);
    }
}

static void run_open_window(struct run *run)
{
    run->shared.counting = true;
    run->cpu_begin = cpu_time();
    run_set_turn(run, run->shared.window_end);
}

static void run_close_window(struct run *run)
{
    run->shared.counting = false;
    run->cpu_end = cpu_time();
    run->shared.phase = PHASE_GRACE;
    run_set_turn(run, run->shared.window_end + run->shared.options->grace_ms * NANOSECONDS_PER_MILLISECOND);
    event_active(run->shared.check, EV_TIMEOUT, 0);
}

static void on_turn(evutil_socket_t fd, short events, void *context)
{
    struct run *run = context;
    (void)fd;
    (void)events;
    if (run->shared.phase == PHASE_GRACE) {
        run_over(run, RUN_DURATION);
    } else if (run->shared.counting) {
        run_close_window(run);
    } else {
        run_open_window(run);
    }
}

/* Rates begin last: the first requests of the others take a moment. */
static void run_load(struct run *run)
{
    struct shared *shared = &run->shared;
    const struct options *options = shared->options;
    shared->phase = PHASE_LOAD;
    shared->load_begin = nanoseconds_now();
    shared->window_begin = shared->load_begin + options->warmup_ms * NANOSECONDS_PER_MILLISECOND;
    shared->window_end = options->duration_ms == 0
                             ? NANOSECONDS_NEVER
                             : shared->window_begin + options->duration_ms * NANOSECONDS_PER_MILLISECOND;
    if (options->warmup_ms == 0) {
        run_open_window(run);
    } else {
        run_set_turn(run, shared->window_begin);
    }
    for (int rates = 0; rates < 2; rates++) {
        for (unsigned i = 0; i < run->client_group_count; i++) {
            if ((run->groups[i].of->rate != 0) == rates) {
                client_group_start(&run->groups[i], nanoseconds_now());
            }
        }
    }
    event_active(shared->check, EV_TIMEOUT, 0);
}

static void run_leave_gate(struct run *run)
{
    event_del(run->go_on);
    if (run->input != NULL) {
        event_free(run->input);
        run->input = NULL;
    }
    run_load(run);
}

static void on_go_on(evutil_socket_t fd, short events, void *context)
{
    struct run *run = context;
    (void)fd;
    (void)events;
    run_leave_gate(run);
}

/* Whatever can be read at the gate is the word to go on, the end of the input too. */
static void on_input(evutil_socket_t fd, short events, void *context)
{
    struct run *run = context;
    char line[256];
    (void)events;
    if (read(fd, line, sizeof(line)) >= 0) {
        run_leave_gate(run);
    }
}

/* A file or /dev/null cannot be waited for: it can always be read. */
static bool input_can_be_awaited(void)
{
    struct stat input;
    return fstat(STDIN_FILENO, &input) == 0 && !S_ISREG(input.st_mode) &&
           (!S_ISCHR(input.st_mode) || isatty(STDIN_FILENO));
}

static void run_gate(struct run *run)
{
    run->shared.phase = PHASE_GATE;
    event_add(run->go_on, NULL); /* before the line is printed: its reader may signal at once */
    run->output->held(run);
    if (input_can_be_awaited()) {
        run->input = event_new(run->shared.base, STDIN_FILENO, EV_READ | EV_PERSIST, on_input, run);
    }
    if (run->input == NULL || event_add(run->input, NULL) != 0) {
        run_leave_gate(run);
    }
}

static void run_held(struct run *run)
{
    size_t asked = 0;
    run->held = nanoseconds_now();
    for (unsigned i = 0; i < run->client_group_count; i++) {
        asked += run->groups[i].count.asked;
    }
    if (asked > 0 && !run_connected(run)) {
        run_over(run, RUN_UNOPENED);
    } else if (run->shared.options->gate) {
        run_gate(run);
    } else {
        run_load(run);
    }
}

/* The groups take turns, so that none of a mixture is kept waiting by another. */
static void run_open_more(struct run *run)
{
    bool more = true;
    while (more) {
        more = false;
        for (unsigned i = 0; i < run->client_group_count; i++) {
            if (run->shared.opening == OPENING_MAX) {
                return;
            }
            more = client_group_open_next(&run->groups[i]) || more;
        }
    }
    if (run->shared.opening == 0) {
        run_held(run);
    }
}

static bool run_done(const struct run *run)
{
    for (unsigned i = 0; i < run->client_group_count; i++) {
        const struct client_group *group = &run->groups[i];
        bool stays =
            group->of->hold && run->shared.window_end != NANOSECONDS_NEVER && run->shared.phase == PHASE_LOAD;
        if (stays || !client_group_done(group)) {
            return false;
        }
    }
    return true;
}

static void on_check(evutil_socket_t fd, short events, void *context)
{
    struct run *run = context;
    (void)fd;
    (void)events;
    switch (run->shared.phase) {
    case PHASE_OPENING: run_open_more(run); break;
    case PHASE_LOAD:
    case PHASE_GRACE:
        if (run_done(run)) {
            run_over(run, run->shared.phase == PHASE_LOAD ? RUN_REQUESTS : RUN_DURATION);
        }
        break;
    case PHASE_GATE:
    case PHASE_OVER: break;
    }
}

static void on_tick(evutil_socket_t fd, short events, void *context)
{
    struct run *run = context;
    uint64_t now = nanoseconds_now();
    (void)fd;
    (void)events;
    for (unsigned i = 0; i < run->client_group_count; i++) {
        client_group_time_out(&run->groups[i], now);
    }
}

static void on_show(evutil_socket_t fd, short events, void *context)
{
    const struct run *run = context;
    (void)fd;
    (void)events;
    run->output->progress(run);
}

/* The next such signal ends the process as if it were not handled. */
static void on_interrupt(evutil_socket_t fd, short events, void *context)
{
    struct run *run = context;
    (void)fd;
    (void)events;
    event_del(run->interrupt);
    event_del(run->terminate);
    run_over(run, RUN_INTERRUPTED);
}

static uint64_t tick_length(const struct options *options)
{
    uint64_t least = TICK_MAX_MS;
    for (unsigned i = 0; i < options->class_count; i++) {
        uint64_t own = options->classes[i].timeout_ms / TICKS_PER_TIMEOUT;
        least = own < least ? own : least;
    }
    return (least < TICK_MIN_MS ? TICK_MIN_MS : least) * NANOSECONDS_PER_MILLISECOND;
}

static struct event_base *new_base(void)
{
    struct event_config *config = event_config_new();
    if (config == NULL) {
        return NULL;
    }
    /* Requests are due to the microsecond: timers are the kernel's finest, and no time is remembered. */
    event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER | EVENT_BASE_FLAG_NO_CACHE_TIME |
                                      EVENT_BASE_FLAG_NOLOCK);
    struct event_base *base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

static bool make_events(struct run *run)
{
    struct event_base *base = run->shared.base;
    run->shared.check = event_new(base, -1, 0, on_check, run);
    run->interrupt = evsignal_new(base, SIGINT, on_interrupt, run);
    run->terminate = evsignal_new(base, SIGTERM, on_interrupt, run);
    run->go_on = evsignal_new(base, SIGUSR1, on_go_on, run);
    run->tick = event_new(base, -1, EV_PERSIST, on_tick, run);
    run->turn = event_new(base, -1, 0, on_turn, run);
    run->show = event_new(base, -1, EV_PERSIST, on_show, run);
    return run->shared.check != NULL && run->interrupt != NULL && run->terminate != NULL &&
           run->go_on != NULL && run->tick != NULL && run->turn != NULL && run->show != NULL;
}

bool run_init(struct run *run, const struct options *options, const struct run_output *output)
{
    run->output = output;
    run->shared.options = options;
    run->shared.window_begin = run->shared.window_end = NANOSECONDS_NEVER;
    run->shared.base = new_base();
    if (run->shared.base == NULL || !make_events(run)) {
        return false;
    }
    size_t first = 0;
    while (run->client_group_count < options->class_count) {
        const struct options_class *of = &options->classes[run->client_group_count];
        if (!client_group_init(&run->groups[run->client_group_count++], &run->shared, of, first)) {
            return false;
        }
        first += of->connections;
    }
    return true;
}

void run_deinit(struct run *run)
{
    struct event *events[] = {run->shared.check, run->interrupt, run->terminate, run->go_on,
                              run->input,        run->tick,      run->turn,      run->show};
    for (unsigned i = 0; i < run->client_group_count; i++) {
        client_group_deinit(&run->groups[i]);
    }
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        if (events[i] != NULL) {
            event_free(events[i]);
        }
    }
    if (run->shared.base != NULL) {
        event_base_free(run->shared.base);
    }
}

void run_go(struct run *run)
{
    const struct options *options = run->shared.options;
    struct timeval tick = nanoseconds_timeval(tick_length(options));
    struct timeval show = nanoseconds_timeval(SHOW_EVERY);
    run->began = nanoseconds_now();
    event_add(run->interrupt, NULL);
    event_add(run->terminate, NULL);
    event_add(run->tick, &tick);
    if (options->progress) {
        event_add(run->show, &show);
    }
    event_active(run->shared.check, EV_TIMEOUT, 0);
    event_base_dispatch(run->shared.base);
    if (options->progress) {
        run->output->progress_end();
    }
}

bool run_connected(const struct run *run)
{
    for (unsigned i = 0; i < run->client_group_count; i++) {
        if (run->groups[i].count.opened + run->groups[i].count.reopened > 0) {
            return true;
        }
    }
    return false;
}

uint64_t run_window(const struct run *run)
{
    const struct shared *shared = &run->shared;
    uint64_t end = shared->window_end < run->over ? shared->window_end : run->over;
    return end > shared->window_begin ? end - shared->window_begin : 0;
}
