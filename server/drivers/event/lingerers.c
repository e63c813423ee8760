/* SPDX-License-Identifier: MIT */
/* A reactor on the acceptor's base, and the inbox by which connections come to it. */
#include "server/drivers/event/lingerers.h"

#include <errno.h>

#include "server/drivers/shared/counters_pool.h"

static void on_inbox(evutil_socket_t fd, short events, void *arg)
{
    struct lingerers *lingerers = arg;
    (void)fd;
    (void)events;
    inbox_take(&lingerers->inbox);
    for (size_t i = 0; i < lingerers->inbox.taken.count; i++) {
        reactor_linger(&lingerers->reactor, &lingerers->inbox.taken.items[i]);
    }
}

int lingerers_init(struct lingerers *lingerers, struct server *server, size_t counters)
{
    int error = inbox_init(&lingerers->inbox);
    if (error != 0) {
        return error;
    }
    error = reactor_init(&lingerers->reactor, server, server->base,
                         counters_claim(server->service.scoreboard, counters), &server->timeouts);
    if (error != 0) {
        inbox_deinit(&lingerers->inbox);
        return error;
    }
    event_assign(&lingerers->inbox_event, server->base, lingerers->inbox.wakeup.fd, EV_READ | EV_PERSIST,
                 on_inbox, lingerers);
    if (event_add(&lingerers->inbox_event, NULL) == 0) {
        return 0;
    }
    reactor_deinit(&lingerers->reactor);
    inbox_deinit(&lingerers->inbox);
    return -ENOMEM;
}

void lingerers_deinit(struct lingerers *lingerers)
{
    event_del(&lingerers->inbox_event);
    reactor_deinit(&lingerers->reactor);
    inbox_deinit(&lingerers->inbox);
}

int lingerers_put(struct lingerers *lingerers, const struct accepted *accepted)
{
    return inbox_put(&lingerers->inbox, accepted);
}

void lingerers_drain(struct lingerers *lingerers)
{
    reactor_drain(&lingerers->reactor);
}

void lingerers_report(const struct lingerers *lingerers, struct report *report)
{
    reactor_report(&lingerers->reactor, report);
}
