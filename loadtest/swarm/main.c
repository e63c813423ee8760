/* SPDX-License-Identifier: MIT */
/* swarm: from the command line to the exit status. */
#include <errno.h>
#include <llhttp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "loadtest/swarm/settings/command_line.h"
#include "loadtest/swarm/timing/nanoseconds.h"
#include "loadtest/swarm/result.h"

enum { EXIT_USAGE = 2, OWN_DESCRIPTORS = 16 };

static const double RATE_OFFERED = 0.98; /* of the rate asked for, at least */

static struct {
    struct options options;
    struct run run;
    char error[512];
} swarm;

static int print_version(void)
{
    printf("swarm %s\nlibevent %s\nllhttp %d.%d.%d\n", ECHOD_VERSION, event_get_version(),
           LLHTTP_VERSION_MAJOR, LLHTTP_VERSION_MINOR, LLHTTP_VERSION_PATCH);
    return EXIT_SUCCESS;
}

/* Raises the soft limit of descriptors to the hard one. False if that is too low. */
static bool enough_descriptors(const struct options *options)
{
    struct rlimit limit;
    rlim_t needed = OWN_DESCRIPTORS;
    for (unsigned i = 0; i < options->class_count; i++) {
        needed += options->classes[i].connections;
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return true;
    }
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < needed) {
        fprintf(stderr,
                "swarm: so many connections need %llu descriptors, the hard limit is %llu (ulimit -Hn)\n",
                (unsigned long long)needed, (unsigned long long)limit.rlim_max);
        return false;
    }
    return true;
}

/* If a class has not offered the rate that it was asked for, the rate was not constant: the run has measured how fast
 * the server let the client ask. */
static void warn_of_rate(const struct client_group *group, uint64_t window)
{
    uint64_t rate = group->of->rate;
    double offered = window > 0 ? (double)group->stats.offered / nanoseconds_to_seconds(window) : 0;
    if (window > 0 && group->of->requests == 0 && offered < RATE_OFFERED * (double)rate) {
        fprintf(stderr,
                "swarm: class %s: %.0f of %llu requests/s were offered: its connections are too few, or this "
                "CPU is "
                "too slow\n",
                group->of->name, offered, (unsigned long long)rate);
    }
}

static void print_held(const struct run *run)
{
    result_print_held(stdout, run);
    fflush(stdout);
}

static void print_progress(const struct run *run)
{
    result_print_progress(stderr, run);
}

static void print_progress_end(void)
{
    result_print_progress_end(stderr);
}

static const struct run_output output = {
    .held = print_held, .progress = print_progress, .progress_end = print_progress_end};

static int finish(const struct run *run)
{
    result_print(stdout, run);
    for (unsigned i = 0; i < run->client_group_count; i++) {
        warn_of_rate(&run->groups[i], run_window(run));
    }
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        fprintf(stderr, "swarm: cannot write to stdout: %s\n", strerror(errno));
        return EXIT_FAILURE;
    }
    if (run->end == RUN_INTERRUPTED || run_connected(run)) {
        return EXIT_SUCCESS;
    }
    fprintf(stderr, "swarm: %.*s: no connection could be opened: %s\n", (int)run->shared.options->host_length,
            run->shared.options->host, run->groups[0].stats.first_error);
    return EXIT_FAILURE;
}

static int go(const struct options *options)
{
    int status = EXIT_FAILURE;
    signal(SIGPIPE, SIG_IGN);
    if (!enough_descriptors(options)) {
        return status;
    }
    if (run_init(&swarm.run, options, &output)) {
        run_go(&swarm.run);
        status = finish(&swarm.run);
    } else {
        fprintf(stderr, "swarm: there is not enough memory\n");
    }
    run_deinit(&swarm.run);
    return status;
}

int main(int argc, char **argv)
{
    switch (command_line_parse(&swarm.options, argc, argv, swarm.error, sizeof(swarm.error))) {
    case COMMAND_LINE_RUN: return go(&swarm.options);
    case COMMAND_LINE_HELP: command_line_help(stdout); return EXIT_SUCCESS;
    case COMMAND_LINE_VERSION: return print_version();
    case COMMAND_LINE_BAD: break;
    }
    fprintf(stderr, "swarm: %s\n", swarm.error);
    return EXIT_USAGE;
}
