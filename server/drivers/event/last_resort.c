/* SPDX-License-Identifier: MIT */
/* A timer looks at a few entries again and again: slow, but it needs no memory that could be missing. */
#include "server/drivers/event/last_resort.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "server/net/transport.h"
#include "server/drivers/shared/pump.h"

enum {
    LAST_RESORT_TICK_MS = 20,
    LAST_RESORT_BUSY_TICK_MS = 1,   /* while bytes are discarded, so that their sender finishes soon */
    LAST_RESORT_PATIENCE_MS = 2000, /* for the request */
};

static void last_resort_set_timer(struct last_resort *last_resort, unsigned ms)
{
    struct timespec time = {.tv_nsec = (long)ms * 1000000};
    timerfd_settime(last_resort->timer, 0, &(struct itimerspec){.it_value = time, .it_interval = time}, NULL);
}

static void last_resort_close(struct last_resort *last_resort, unsigned i)
{
    struct last_resort_entry entry = last_resort->entries[i];
    last_resort->count--;
    memmove(&last_resort->entries[i], &last_resort->entries[i + 1], (last_resort->count - i) * sizeof(entry));
    if (entry.answered) {
        TRACE(linger_end, entry.accepted.number, UINT64_C(0));
        connection_count_linger_end(last_resort->core->connections, false);
    }
    if (entry.reason != REFUSAL_NOT) {
        connection_count_drop_refused(last_resort->core->connections);
    } else {
        connection_count_drop(last_resort->core->connections);
    }
    TRACE(close, entry.accepted.number, UINT64_C(0));
    close(entry.accepted.fd);
}

/* The time for which the connection lingers is limited as for all other connections of its reactor. */
static void last_resort_begin_lingering(struct last_resort *last_resort, struct last_resort_entry *entry)
{
    entry->answered = true;
    TRACE(linger_begin, entry->accepted.number, UINT64_C(0));
    entry->lingering = lingering_begin(entry->accepted.fd, clock_ms(), last_resort->core->linger_ms);
    connection_count_linger_begin(last_resort->core->connections, false);
    lingering_shut_down(entry->accepted.fd);
}

/* Answers the client with a session that ends with this function: an incomplete request gets its 503 at once, because
 * its rest cannot be awaited. Then begins the lingering close. Returns false if the client has gone. */
static bool last_resort_answer(struct last_resort *last_resort, struct last_resort_entry *entry,
                               struct span bytes)
{
    int fd = entry->accepted.fd;
    struct session session;
    session_init(&session, entry->accepted.number, &entry->accepted.peer, entry->reason);
    bool kept = bytes.length == 0 || session_pump(&session, &last_resort->core->context, fd, IO_DATA, bytes);
    if (kept && (session_wants(&session, &last_resort->core->context) & WANT_CLOSE) == 0) {
        kept = session_pump(&session, &last_resort->core->context, fd, IO_TIMEOUT, PUMP_NO_BYTES);
    }
    session_log_abandoned(&session, &last_resort->core->context);
    session_deinit(&session, last_resort->core->context.output.budget);
    last_resort_begin_lingering(last_resort, entry);
    return kept;
}

/* False if it is to be closed. */
static bool last_resort_go_on_lingering(struct last_resort *last_resort, struct last_resort_entry *entry)
{
    return lingering_advance(&entry->lingering, entry->accepted.fd, true, last_resort->core->input,
                             REACTOR_INPUT_SIZE, clock_ms());
}

/* False if it is to be closed. */
static bool last_resort_look(struct last_resort *last_resort, struct last_resort_entry *entry)
{
    if (entry->answered) {
        return last_resort_go_on_lingering(last_resort, entry);
    }
    bool late = clock_coarse_ms() - entry->since_ms >= LAST_RESORT_PATIENCE_MS;
    struct transfer read = transport_receive(entry->accepted.fd, last_resort->core->input, REACTOR_INPUT_SIZE,
                                             TRANSPORT_NO_WAIT);
    struct span bytes = {.data = last_resort->core->input,
                         .length = read.outcome == TRANSPORT_MOVED ? read.length : 0};
    switch (read.outcome) {
    case TRANSPORT_MOVED:
    case TRANSPORT_RETRY:
    case TRANSPORT_INTERRUPTED: break;
    case TRANSPORT_END:
    case TRANSPORT_ERROR: return false;
    }
    return (bytes.length == 0 && !late) || last_resort_answer(last_resort, entry, bytes);
}

/* Whether a lingering connection has begun to linger, or has sent bytes, since the last tick. */
static bool last_resort_discards(const struct last_resort *last_resort)
{
    uint64_t now = clock_ms();
    for (unsigned i = 0; i < last_resort->count; i++) {
        const struct last_resort_entry *entry = &last_resort->entries[i];
        if (entry->answered && !entry->lingering.unread &&
            now - entry->lingering.quiet_since < LAST_RESORT_TICK_MS) {
            return true;
        }
    }
    return false;
}

static void last_resort_on_timer(evutil_socket_t fd, short events, void *arg)
{
    struct last_resort *last_resort = arg;
    uint64_t expirations;
    (void)events;
    if (read(fd, &expirations, sizeof(expirations)) < 0) {
        return;
    }
    for (unsigned i = last_resort->count; i-- > 0;) {
        if (!last_resort_look(last_resort, &last_resort->entries[i])) {
            last_resort_close(last_resort, i);
        }
    }
    last_resort_set_timer(last_resort, last_resort->count == 0             ? 0
                                       : last_resort_discards(last_resort) ? LAST_RESORT_BUSY_TICK_MS
                                                                           : LAST_RESORT_TICK_MS);
}

static void last_resort_add(struct last_resort *last_resort, const struct last_resort_entry *entry)
{
    if (last_resort->count == LAST_RESORT_MAX) {
        struct last_resort_entry *oldest = &last_resort->entries[0];
        if (last_resort_look(last_resort, oldest) && !oldest->answered) {
            last_resort_answer(last_resort, oldest, PUMP_NO_BYTES);
        }
        last_resort_close(last_resort, 0);
    }
    last_resort->entries[last_resort->count++] = *entry;
    if (!last_resort_look(last_resort, &last_resort->entries[last_resort->count - 1])) {
        last_resort_close(last_resort, last_resort->count - 1);
    }
    if (last_resort->count == 1) {
        last_resort_set_timer(last_resort, LAST_RESORT_TICK_MS);
    }
}

void last_resort_refuse(struct last_resort *last_resort, const struct accepted *accepted, enum refusal reason)
{
    last_resort_add(last_resort, &(struct last_resort_entry){
                                     .accepted = *accepted, .reason = reason, .since_ms = clock_coarse_ms()});
}

void last_resort_linger(struct last_resort *last_resort, const struct accepted *accepted)
{
    struct last_resort_entry entry = {.accepted = *accepted, .reason = REFUSAL_NOT};
    last_resort_begin_lingering(last_resort, &entry);
    last_resort_add(last_resort, &entry);
}

int last_resort_init(struct last_resort *last_resort, struct reactor_core *core)
{
    last_resort->core = core;
    last_resort->count = 0;
    last_resort->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (last_resort->timer < 0) {
        return -errno;
    }
    event_assign(&last_resort->timer_event, core->base, last_resort->timer, EV_READ | EV_PERSIST,
                 last_resort_on_timer, last_resort);
    if (event_add(&last_resort->timer_event, NULL) != 0) {
        close(last_resort->timer);
        return -ENOMEM;
    }
    return 0;
}

void last_resort_end(struct last_resort *last_resort)
{
    while (last_resort->count > 0) {
        struct last_resort_entry *oldest = &last_resort->entries[0];
        if (!oldest->answered) {
            last_resort_answer(last_resort, oldest, PUMP_NO_BYTES);
        }
        last_resort_close(last_resort, 0);
    }
}

void last_resort_deinit(struct last_resort *last_resort)
{
    while (last_resort->count > 0) {
        last_resort_close(last_resort, 0);
    }
    event_del(&last_resort->timer_event);
    close(last_resort->timer);
}
