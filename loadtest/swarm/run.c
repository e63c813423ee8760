/* SPDX-License-Identifier: MIT */
/* The phases, and what leads from one to the next. */
#include "loadtest/swarm/run.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loadtest/swarm/instant.h"
#include "loadtest/swarm/report.h"

enum { OPENING_MAX = 256, TICKS_PER_TIMEOUT = 20, TICK_MIN_MS = 5, TICK_MAX_MS = 100 };

#define SHOW_EVERY (INSTANT_SECOND / 2)

static uint64_t cpu_time(void)
{
    struct rusage own;
    getrusage(RUSAGE_SELF, &own);
    return (uint64_t)(own.ru_utime.tv_sec + own.ru_stime.tv_sec) * INSTANT_SECOND +
           (uint64_t)(own.ru_utime.tv_usec + own.ru_stime.tv_usec) * 1000;
}

static void run_over(struct run *run, enum run_end end)
{
    run->end = end;
    run->over = instant_now();
    for (unsigned i = 0; i < run->crowd_count; i++) {
        series_end(&run->crowds[i].series, run_window(run));
    }
    if (run->stage.counting) {
        run->cpu_end = cpu_time();
        run->stage.counting = false;
    }
    run->stage.phase = STAGE_OVER;
    event_base_loopbreak(run->stage.base);
}

static void run_set_turn(struct run *run, uint64_t instant)
{
    uint64_t now = instant_now();
    struct timeval delay = instant_timeval(instant > now ? instant - now : 0);
    if (instant != INSTANT_NEVER) {
        event_add(run->turn, &delay);
    }
}

static void run_open_window(struct run *run)
{
    run->stage.counting = true;
    run->cpu_begin = cpu_time();
    run_set_turn(run, run->stage.window_end);
}

static void run_close_window(struct run *run)
{
    run->stage.counting = false;
    run->cpu_end = cpu_time();
    run->stage.phase = STAGE_GRACE;
    run_set_turn(run, run->stage.window_end + run->stage.options->grace_ms * INSTANT_MILLISECOND);
    event_active(run->stage.check, EV_TIMEOUT, 0);
}

static void on_turn(evutil_socket_t fd, short events, void *context)
{
    struct run *run = context;
    (void)fd;
    (void)events;
    if (run->stage.phase == STAGE_GRACE) {
        run_over(run, RUN_DURATION);
    } else if (run->stage.counting) {
        run_close_window(run);
    } else {
        run_open_window(run);
    }
}

/* Rates begin last: the first requests of the others take a moment. */
static void run_load(struct run *run)
{
    struct stage *stage = &run->stage;
    const struct options *options = stage->options;
    stage->phase = STAGE_LOAD;
    stage->load_begin = instant_now();
    stage->window_begin = stage->load_begin + options->warmup_ms * INSTANT_MILLISECOND;
    stage->window_end = options->duration_ms == 0
                            ? INSTANT_NEVER
                            : stage->window_begin + options->duration_ms * INSTANT_MILLISECOND;
    if (options->warmup_ms == 0) {
        run_open_window(run);
    } else {
        run_set_turn(run, stage->window_begin);
    }
    for (int rates = 0; rates < 2; rates++) {
        for (unsigned i = 0; i < run->crowd_count; i++) {
            if ((run->crowds[i].of->rate != 0) == rates) {
                crowd_start(&run->crowds[i], instant_now());
            }
        }
    }
    event_active(stage->check, EV_TIMEOUT, 0);
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
    run->stage.phase = STAGE_GATE;
    report_held(stdout, run);
    fflush(stdout);
    event_add(run->go_on, NULL);
    if (input_can_be_awaited()) {
        run->input = event_new(run->stage.base, STDIN_FILENO, EV_READ | EV_PERSIST, on_input, run);
    }
    if (run->input == NULL || event_add(run->input, NULL) != 0) {
        run_leave_gate(run);
    }
}

static void run_held(struct run *run)
{
    size_t asked = 0;
    run->held = instant_now();
    for (unsigned i = 0; i < run->crowd_count; i++) {
        asked += run->crowds[i].count.asked;
    }
    if (asked > 0 && !run_connected(run)) {
        run_over(run, RUN_UNOPENED);
    } else if (run->stage.options->gate) {
        run_gate(run);
    } else {
        run_load(run);
    }
}

/* The crowds take turns, so that none of a mixture is kept waiting by another. */
static void run_open_more(struct run *run)
{
    bool more = true;
    while (more) {
        more = false;
        for (unsigned i = 0; i < run->crowd_count; i++) {
            if (run->stage.opening == OPENING_MAX) {
                return;
            }
            more = crowd_open_next(&run->crowds[i]) || more;
        }
    }
    if (run->stage.opening == 0) {
        run_held(run);
    }
}

static bool run_done(const struct run *run)
{
    for (unsigned i = 0; i < run->crowd_count; i++) {
        const struct crowd *crowd = &run->crowds[i];
        bool stays =
            crowd->of->hold && run->stage.window_end != INSTANT_NEVER && run->stage.phase == STAGE_LOAD;
        if (stays || !crowd_done(crowd)) {
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
    switch (run->stage.phase) {
    case STAGE_OPENING: run_open_more(run); break;
    case STAGE_LOAD:
    case STAGE_GRACE:
        if (run_done(run)) {
            run_over(run, run->stage.phase == STAGE_LOAD ? RUN_REQUESTS : RUN_DURATION);
        }
        break;
    case STAGE_GATE:
    case STAGE_OVER: break;
    }
}

static void on_tick(evutil_socket_t fd, short events, void *context)
{
    struct run *run = context;
    uint64_t now = instant_now();
    (void)fd;
    (void)events;
    for (unsigned i = 0; i < run->crowd_count; i++) {
        crowd_time_out(&run->crowds[i], now);
    }
}

static void on_show(evutil_socket_t fd, short events, void *context)
{
    (void)fd;
    (void)events;
    report_progress(stderr, context);
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
    return (least < TICK_MIN_MS ? TICK_MIN_MS : least) * INSTANT_MILLISECOND;
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
    struct event_base *base = run->stage.base;
    run->stage.check = event_new(base, -1, 0, on_check, run);
    run->interrupt = evsignal_new(base, SIGINT, on_interrupt, run);
    run->terminate = evsignal_new(base, SIGTERM, on_interrupt, run);
    run->go_on = evsignal_new(base, SIGUSR1, on_go_on, run);
    run->tick = event_new(base, -1, EV_PERSIST, on_tick, run);
    run->turn = event_new(base, -1, 0, on_turn, run);
    run->show = event_new(base, -1, EV_PERSIST, on_show, run);
    return run->stage.check != NULL && run->interrupt != NULL && run->terminate != NULL &&
           run->go_on != NULL && run->tick != NULL && run->turn != NULL && run->show != NULL;
}

bool run_init(struct run *run, const struct options *options)
{
    run->stage.options = options;
    run->stage.window_begin = run->stage.window_end = INSTANT_NEVER;
    run->stage.base = new_base();
    if (run->stage.base == NULL || !make_events(run)) {
        return false;
    }
    size_t first = 0;
    while (run->crowd_count < options->class_count) {
        const struct options_class *of = &options->classes[run->crowd_count];
        if (!crowd_init(&run->crowds[run->crowd_count++], &run->stage, of, first)) {
            return false;
        }
        first += of->connections;
    }
    return true;
}

void run_deinit(struct run *run)
{
    struct event *events[] = {run->stage.check, run->interrupt, run->terminate, run->go_on,
                              run->input,       run->tick,      run->turn,      run->show};
    for (unsigned i = 0; i < run->crowd_count; i++) {
        crowd_deinit(&run->crowds[i]);
    }
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        if (events[i] != NULL) {
            event_free(events[i]);
        }
    }
    if (run->stage.base != NULL) {
        event_base_free(run->stage.base);
    }
}

void run_go(struct run *run)
{
    const struct options *options = run->stage.options;
    struct timeval tick = instant_timeval(tick_length(options));
    struct timeval show = instant_timeval(SHOW_EVERY);
    run->began = instant_now();
    event_add(run->interrupt, NULL);
    event_add(run->terminate, NULL);
    event_add(run->tick, &tick);
    if (options->progress) {
        event_add(run->show, &show);
    }
    event_active(run->stage.check, EV_TIMEOUT, 0);
    event_base_dispatch(run->stage.base);
    if (options->progress) {
        report_progress_end(stderr);
    }
}

bool run_connected(const struct run *run)
{
    for (unsigned i = 0; i < run->crowd_count; i++) {
        if (run->crowds[i].count.opened + run->crowds[i].count.reopened > 0) {
            return true;
        }
    }
    return false;
}

uint64_t run_window(const struct run *run)
{
    const struct stage *stage = &run->stage;
    uint64_t end = stage->window_end < run->over ? stage->window_end : run->over;
    return end > stage->window_begin ? end - stage->window_begin : 0;
}
