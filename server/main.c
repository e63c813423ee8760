/* SPDX-License-Identifier: MIT */
/* echod: from the command line to the exit status. */
#include <errno.h>
#include <fcntl.h>
#include <llhttp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/handlers/routes.h"
#include "common/http/status.h"
#include "server/acceptor/acceptor.h"
#include "server/acceptor/drain.h"
#include "server/acceptor/signals.h"
#include "server/health_check.h"
#include "server/modes/mode.h"
#include "server/net/systemd.h"
#include "server/net/transport.h"
#include "server/net/url.h"
#include "server/net/warn.h"
#include "server/settings/command_line.h"
#include "server/system/usage.h"
#include "server/trace/trace_file.h"

enum { EXIT_USAGE = 2 };

/* All state of the program. It is static, because threads that are left when the process ends may still use it. */
static struct {
    struct options options;
    struct limits_connections limits;
    struct server server;
    struct listeners listeners;
    struct listeners admin; /* of --admin-listen */
    struct access_log access_log;
    struct acceptor acceptor;
    struct drain drain;
    struct signals signals;
    struct trace_file trace;
    struct defaults defaults;
    const char *listener_names[LISTENERS_MAX];
    char hostname[256];
    char fields[SERVICE_FIELDS_SIZE];
    char error[512];
} echod;

/* A descriptor 0, 1 or 2 that is missing would be taken by a socket. */
static void fill_standard_descriptors(void)
{
    int fd;
    do {
        fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO) {
        close(fd);
    }
}

static int flush_stdout(void)
{
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        warn("cannot write to stdout: %s", strerror(errno));
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

static int print_help(bool all)
{
    command_line_help(stdout, mode_names(), all);
    return flush_stdout();
}

static int print_version(void)
{
    printf("echod %s\nlibevent %s\nllhttp %d.%d.%d\n", ECHOD_VERSION, event_get_version(),
           LLHTTP_VERSION_MAJOR, LLHTTP_VERSION_MINOR, LLHTTP_VERSION_PATCH);
#ifdef BOOST_CONTEXT_VERSION /* cmake/modes.cmake defines them where the mode is built */
    printf("Boost.Context %s\n", BOOST_CONTEXT_VERSION);
#endif
#ifdef LIBURING_VERSION
    printf("liburing %s\n", LIBURING_VERSION);
#endif
    return flush_stdout();
}

static void print_listener_names(const struct listeners *listeners, const char *suffix)
{
    for (size_t i = 0; i < listeners->count; i++) {
        printf("listening on %s%s\n", listeners->items[i].name, suffix);
    }
}

static int print_listeners(const struct listeners *listeners, const struct listeners *admin)
{
    print_listener_names(listeners, "");
    print_listener_names(admin, " (admin)");
    return flush_stdout();
}

/* How many connections: what the options say, if the limits allow it. */
static void find_limits(struct server *server)
{
    const struct options *options = server->options;
    server->cpus = limits_cpus("");
    server->loops = options->loops != 0 ? options->loops : server->cpus;
    unsigned own =
        ACCEPTOR_DESCRIPTORS + SIGNALS_DESCRIPTORS + 1 + 2 * options->listen.count + mode_descriptors(server);
    own += options->access_log != NULL ? ACCESS_LOG_DESCRIPTORS : 0;
    own += options->trace != NULL ? TRACE_FILE_DESCRIPTORS : 0;
    own += options->admin_listen.count > 0 ? ADMIN_DESCRIPTORS + 2 * options->admin_listen.count : 0;
    limits_connections(&echod.limits, "", server->mode->cost, own);
    server->max_connections = echod.limits.count;
    server->binding = echod.limits.name;
    if (options->max_connections != 0 && options->max_connections <= echod.limits.count) {
        server->max_connections = options->max_connections;
        server->binding = "--max-connections";
    }
}

static struct span text_span(const char *text)
{
    return (struct span){.data = text, .length = text != NULL ? strlen(text) : 0};
}

/* What /echo does by default; NULL if the options ask for nothing. */
static const struct defaults *make_defaults(const struct options *options)
{
    echod.defaults = (struct defaults){
        .faults = {[FAULT_STATUS] = text_span(options->default_status),
                   [FAULT_DELAY] = text_span(options->default_delay),
                   [FAULT_CLOSE] = text_span(options->default_close),
                   [FAULT_ABORT] = text_span(options->default_abort)},
        .fields = options->default_header.items,
        .field_count = options->default_header.count,
    };
    bool any = echod.defaults.field_count > 0;
    for (int i = 0; i < FAULT_KINDS; i++) {
        any |= echod.defaults.faults[i].length > 0;
    }
    return any ? &echod.defaults : NULL;
}

/* --fault-seed, or a random number that can be its value. */
static unsigned make_fault_seed(const struct options *options)
{
    unsigned seed = options->fault_seed;
    while (seed == 0) {
        if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed) {
            seed = (unsigned)(clock_us() ^ (uint64_t)getpid());
        }
    }
    return seed;
}

static const char *const *make_listener_names(const struct listeners *listeners)
{
    for (int i = 0; i < LISTENERS_MAX; i++) {
        echod.listener_names[i] = listeners->items[i].name;
    }
    return echod.listener_names;
}

static struct service make_service(const struct server *server, struct scoreboard *scoreboard)
{
    const struct options *options = server->options;
    if (gethostname(echod.hostname, sizeof(echod.hostname) - 1) != 0) {
        strcpy(echod.hostname, "localhost");
    }
    struct service service = {
        .scoreboard = scoreboard,
        .mode = server->mode->name,
        .version = ECHOD_VERSION,
        .libevent_version = event_get_version(),
        .hostname = echod.hostname,
        .usage = usage_read,
        .max_header_size = options->max_header_size,
        .max_body_size = options->max_body_size,
        .max_delay_ms = options->max_delay_ms,
        .max_requests = options->max_requests,
        .fault_seed = make_fault_seed(options),
        .routes = options->admin_listen.count > 0 ? routes_main : routes_all,
        .defaults = make_defaults(options),
        .name = options->name,
        .listeners = make_listener_names(&echod.listeners),
        .local = accepted_local,
        .undelivered = transport_undelivered,
        .cors = options->cors,
    };
    service_set_fields(&service, echod.fields);
    return service;
}

/* 0 or a negative errno; then there is nothing to undo. */
static int set_up_server(struct server *server, const struct options *options)
{
    *server = (struct server){
        .options = options,
        .mode = mode_find(options->mode),
        .timeouts = timeouts_of(options, UINT64_MAX),
        .log = &echod.access_log,
    };
    find_limits(server);
    size_t counters = SERVER_MODE_COUNTERS + mode_counters(server);
    struct scoreboard *scoreboard = scoreboard_new(counters, options->max_buffer_memory);
    if (scoreboard == NULL) {
        return -errno;
    }
    server->service = make_service(server, scoreboard);
    int error = connection_count_init(&server->connections, &scoreboard->open, &scoreboard->lingering);
    if (error != 0) {
        scoreboard_free(scoreboard);
    }
    return error;
}

static int open_listed(struct listeners *listeners, const struct options_listen *list)
{
    return listeners_open(listeners, list->items, list->count, (int)echod.options.backlog, echod.error,
                          sizeof(echod.error));
}

static bool open_listeners(const struct options *options)
{
    int passed = listeners_inherit(&echod.listeners, echod.error, sizeof(echod.error));
    if (passed == 0) {
        passed = open_listed(&echod.listeners, &options->listen);
        if (passed == 0 && options->listens_on_port) {
            warn("listening on all addresses, because PORT is set and neither --listen nor ECHOD_LISTEN is");
        }
    }
    if (passed >= 0 && options->admin_listen.count > 0) {
        passed = open_listed(&echod.admin, &options->admin_listen);
    }
    if (passed < 0) {
        warn("%s", echod.error);
        listeners_close(&echod.listeners);
    }
    return passed >= 0;
}

static void say_choices(const struct server *server)
{
    if (!server->options->verbose) {
        return;
    }
    char loops[32] = "", workers[32] = "";
    if (server->mode->loops) {
        snprintf(loops, sizeof loops, ", loops: %u", server->loops);
    }
    if (server->mode->workers != NULL) {
        snprintf(workers, sizeof workers, ", workers: %u", server->mode->workers(server));
    }
    warn("mode %s%s%s, at most %u connections (%s), fault seed %u", server->mode->name, loops, workers,
         server->max_connections, server->binding, server->service.fault_seed);
}

/* Names the flags that say how many threads the mode starts, and what limits them. */
static void say_not_started(const struct server *server, int error)
{
    const struct mode *mode = server->mode;
    const char *explained = mode->explain == NULL ? NULL : mode->explain(error);
    if (explained != NULL) {
        warn("cannot start mode %s: %s", mode->name, explained);
        return;
    }
    bool threads = error == -EAGAIN || error == -ENOMEM;
    if (!threads || (mode->workers == NULL && !mode->loops)) {
        warn("cannot start mode %s: %s", mode->name, strerror(-error));
        return;
    }
    struct limits_connections limits;
    char workers[48] = "", loops[48] = "";
    limits_threads(&limits, "");
    if (mode->workers != NULL) {
        snprintf(workers, sizeof workers, " %u workers (--workers)%s", mode->workers(server),
                 mode->loops ? "," : "");
    }
    if (mode->loops) {
        snprintf(loops, sizeof loops, " %u loops (--loops)", server->loops);
    }
    warn("cannot start mode %s: cannot create threads for%s%s: %s; the limit is %s", mode->name, workers,
         loops, strerror(-error), limits.name);
}

/* The main thread's parts: acceptor, drain and signals. 0 or a negative errno; then there is nothing to undo. */
static int set_up_main_thread(struct server *server, struct listeners *listeners, struct listeners *admin)
{
    int error = acceptor_init(&echod.acceptor, server, listeners, admin);
    if (error != 0) {
        return error;
    }
    drain_init(&echod.drain, &echod.acceptor);
    error = signals_init(&echod.signals, &echod.acceptor, &echod.drain, &echod.trace);
    if (error != 0) {
        drain_deinit(&echod.drain);
        acceptor_deinit(&echod.acceptor);
    }
    return error;
}

static void take_down_main_thread(void)
{
    signals_deinit(&echod.signals);
    drain_deinit(&echod.drain);
    acceptor_deinit(&echod.acceptor);
}

/* Serves until the drain is over; the server is set up and listens. Returns the exit status. If connections are left at
 * the end, nothing is freed, because their threads still use the memory. */
static int serve(struct server *server, struct listeners *listeners, struct listeners *admin)
{
    int error = set_up_main_thread(server, listeners, admin);
    if (error != 0) {
        warn("cannot start: %s", strerror(-error));
        trace_file_abandon(&echod.trace);
        return EXIT_FAILURE;
    }
    error = server->mode->start(server);
    if (error != 0) {
        say_not_started(server, error);
        trace_file_abandon(&echod.trace);
        take_down_main_thread();
        return EXIT_FAILURE;
    }
    say_choices(server);
    int status = print_listeners(listeners, admin);
    if (status == EXIT_SUCCESS) {
        systemd_announce("READY=1");
        status = acceptor_run(&echod.acceptor);
    }
    if (connection_count_value(&server->connections) == 0) {
        server->mode->stop(server);
        take_down_main_thread();
        connection_count_deinit(&server->connections);
        scoreboard_free(server->service.scoreboard);
    }
    listeners_close(admin); /* while the trace is written, which may take long, nobody would answer there */
    trace_thread_end();
    bool written = trace_file_finish(&echod.trace);
    return written ? status : EXIT_FAILURE;
}

static int run(const struct options *options)
{
    signal(SIGPIPE, SIG_IGN);
    if (options->trace == NULL) {
        signal(SIGUSR2, SIG_IGN); /* would end us; service managers and other servers' scripts send it */
    }
    signal(SIGXFSZ, SIG_IGN); /* a log that may not grow is an error of write(2) */
    signal(SIGCHLD, SIG_IGN); /* as PID 1 it is given other processes' orphans: the kernel reaps them */
    signals_block();
    int error = set_up_server(&echod.server, options);
    if (error != 0) {
        warn("cannot start: %s", strerror(-error));
        return EXIT_FAILURE;
    }
    if (!open_listeners(options)) {
        return EXIT_FAILURE;
    }
    if (access_log_open(&echod.access_log, options, echod.server.service.scoreboard, echod.error,
                        sizeof(echod.error)) != 0) {
        warn("%s", echod.error);
        listeners_close(&echod.listeners);
        listeners_close(&echod.admin);
        return EXIT_FAILURE;
    }
    if (trace_file_open(&echod.trace, options->trace, options->mode, ECHOD_VERSION, options->trace_buffer,
                        echod.error, sizeof(echod.error)) != 0) {
        warn("%s", echod.error);
        listeners_close(&echod.listeners);
        listeners_close(&echod.admin);
        return EXIT_FAILURE;
    }
    trace_thread_begin(TRACE_ACCEPTOR, 0);
    int status = serve(&echod.server, &echod.listeners, &echod.admin);
    listeners_close(&echod.listeners);
    listeners_close(&echod.admin);
    return status;
}

/* Prints the errors that make libevent give up. libevent's warnings are not printed: they report failed calls, and the
 * caller of each gets the error anyway. */
static void say_libevent(int severity, const char *message)
{
    if (severity >= EVENT_LOG_ERR) {
        warn("libevent: %s", message);
    }
}

static bool has_port(const struct options_listen *listeners, in_port_t port)
{
    for (size_t i = 0; i < listeners->count; i++) {
        if (listeners->items[i].kind != LISTEN_UNIX && listeners->items[i].port == port) {
            return true;
        }
    }
    return false;
}

static bool has_address(const struct options_listen *listeners, const struct listen_spec *where)
{
    for (size_t i = 0; i < listeners->count; i++) {
        const struct listen_spec *item = &listeners->items[i];
        if (item->kind == where->kind && item->port == where->port &&
            (item->kind != LISTEN_IPV4 || item->ipv4.s_addr == where->ipv4.s_addr) &&
            (item->kind != LISTEN_IPV6 || memcmp(&item->ipv6, &where->ipv6, sizeof item->ipv6) == 0)) {
            return true;
        }
    }
    return false;
}

/* Whether the URL is an admin listener's: by its port, or, if other listeners have that port, too, by its address. */
static bool is_admin(const struct options *options, const char *text)
{
    struct url url;
    const char *why;
    if (url_parse(&url, text, strlen(text), &why) != 0 || url.where.kind == LISTEN_UNIX) {
        return false;
    }
    return has_port(&options->listen, url.where.port) ? has_address(&options->admin_listen, &url.where)
                                                      : has_port(&options->admin_listen, url.where.port);
}

/* Admin listeners take no header of the PROXY protocol. */
static int run_health_check(const struct options *options)
{
    if (*options->check != '\0') {
        bool proxied = options->proxy_protocol && !is_admin(options, options->check);
        return health_check_run(options->check, proxied, status_reason);
    }
    bool admin = options->admin_listen.count > 0;
    return health_check_run_listener(options_checked_listener(options), options->proxy_protocol && !admin,
                                     status_reason);
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN); /* a failed write returns EPIPE instead, which its caller handles */
    fill_standard_descriptors();
    event_set_log_callback(say_libevent);
    switch (command_line_parse(&echod.options, argc, argv, environ, mode_names(), echod.error,
                               sizeof(echod.error))) {
    case COMMAND_LINE_RUN: return run(&echod.options);
    case COMMAND_LINE_HELP: return print_help(false);
    case COMMAND_LINE_HELP_ALL: return print_help(true);
    case COMMAND_LINE_VERSION: return print_version();
    case COMMAND_LINE_CHECK: return run_health_check(&echod.options);
    case COMMAND_LINE_BAD: break;
    }
    warn("%s", echod.error);
    return EXIT_USAGE;
}
