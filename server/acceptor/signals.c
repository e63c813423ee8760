/* SPDX-License-Identifier: MIT */
/* A signalfd on the acceptor's base. */
#include "server/acceptor/signals.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "server/drivers/shared/access_log.h"
#include "server/modes/mode.h"
#include "server/trace/trace_file.h"

static sigset_t signals_set(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2); /* without a trace it is ignored, so that it never arrives */
    return set;
}

void signals_block(void)
{
    sigset_t set = signals_set();
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void signals_end(struct signals *signals, int number)
{
    if (drain_has_begun(signals->drain)) {
        acceptor_unlink(signals->acceptor);
        trace_file_abandon(signals->trace);
        _exit(128 + number);
    }
    drain_begin(signals->drain);
}

static void signals_reopen_log(struct server *server)
{
    access_log_reopen(server->log);
    if (server->mode->log_reopened != NULL) {
        server->mode->log_reopened(server);
    }
}

static void signals_on_readable(evutil_socket_t fd, short events, void *arg)
{
    struct signals *signals = arg;
    struct signalfd_siginfo signal;
    (void)events;
    while (read(fd, &signal, sizeof(signal)) == (ssize_t)sizeof(signal)) {
        switch (signal.ssi_signo) {
        case SIGHUP: signals_reopen_log(signals->acceptor->server); break;
        case SIGUSR1: acceptor_report(signals->acceptor); break;
        case SIGUSR2: trace_file_snapshot(signals->trace); break;
        default: signals_end(signals, (int)signal.ssi_signo); break;
        }
    }
}

int signals_init(struct signals *signals, struct acceptor *acceptor, struct drain *drain,
                 struct trace_file *trace)
{
    sigset_t set = signals_set();
    *signals = (struct signals){.acceptor = acceptor,
                                .drain = drain,
                                .trace = trace,
                                .fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC)};
    if (signals->fd < 0) {
        return -errno;
    }
    event_assign(&signals->event, acceptor->base, signals->fd, EV_READ | EV_PERSIST, signals_on_readable,
                 signals);
    if (event_add(&signals->event, NULL) != 0) {
        close(signals->fd);
        return -ENOMEM;
    }
    return 0;
}

void signals_deinit(struct signals *signals)
{
    event_del(&signals->event);
    close(signals->fd);
}
