/* SPDX-License-Identifier: MIT */
/* How a fiber waits, and how it begins and ends. What it does in between is in conversation.h. */
#include "server/drivers/fiber/fiber_connection.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "common/base/compiler.h"
#include "server/drivers/shared/access_log.h"
#include "server/drivers/shared/workers.h"

#define CONVERSATION struct fiber_connection
#include "server/drivers/blocking/conversation.h"

#define NEVER UINT64_MAX

/* How often a fiber that waits for nothing of its socket looks whether the client has reset the connection. */
enum { FIBER_LOOK_US = 400 * 1000 };

static struct reactor_core *core_of(const struct fiber_connection *c)
{
    return &c->fibers->reactor->core;
}

/* ---- what wakes a fiber ---- */

static void on_socket(evutil_socket_t fd, short events, void *arg)
{
    (void)fd;
    fiber_connection_wake(arg, (enum woken)(((events & EV_READ) != 0 ? WOKEN_READABLE : 0) |
                                            ((events & EV_WRITE) != 0 ? WOKEN_WRITABLE : 0)));
}

static bool was_reset(const struct fiber_connection *c)
{
    struct pollfd socket = {.fd = c->fd};
    return poll(&socket, 1, 0) > 0 && (socket.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
}

/* False if there is no memory for it. Epoll does not watch a socket of which nothing is wanted: then the timer looks. */
static bool arm(struct fiber_connection *c, uint64_t now)
{
    uint64_t left = left_of(c->deadline_us, now);
    if (c->interest == 0 && left > FIBER_LOOK_US) {
        left = FIBER_LOOK_US;
    }
    struct timeval delay = {.tv_sec = (time_t)(left / 1000000), .tv_usec = (suseconds_t)(left % 1000000)};
    return event_add(&c->timer, &delay) == 0;
}

/* libevent's clock is coarse: the wait may have to go on for a little. */
static void on_timer(evutil_socket_t fd, short events, void *arg)
{
    struct fiber_connection *c = arg;
    uint64_t now = clock_us();
    (void)fd;
    (void)events;
    if (c->interest == 0 && was_reset(c)) {
        fiber_connection_wake(c, WOKEN_RESET);
    } else if (now >= c->deadline_us || !arm(c, now)) {
        fiber_connection_wake(c, WOKEN_TIMEOUT);
    }
}

/* The idle time counts from the first tick that sees the fiber; stray bytes that begin no request do not restart it. */
void fiber_connection_see(struct fiber_connection *c, uint64_t now)
{
    uint64_t limit = c->server->timeouts.limit[TIMER_IDLE];
    c->seen = true;
    if (c->idle) {
        if (session_timer_take(&c->session)) {
            c->since_ms = now / 1000;
        }
        c->deadline_us = limit == 0 ? NEVER : (c->since_ms + limit) * 1000;
    }
}

/* Nearly always at the end. */
static void insert_idle(struct fibers *fibers, struct fiber_connection *c)
{
    struct fiber_connection *before = TAILQ_LAST(&fibers->idle, fiber_list);
    while (before != NULL && before->deadline_us > c->deadline_us) {
        before = TAILQ_PREV(before, fiber_list, others_lively);
    }
    if (before == NULL) {
        TAILQ_INSERT_HEAD(&fibers->idle, c, others_lively);
    } else {
        TAILQ_INSERT_AFTER(&fibers->idle, before, c, others_lively);
    }
}

void fiber_connection_quieten(struct fiber_connection *c, uint64_t now)
{
    struct fibers *fibers = c->fibers;
    bool needs_timer = !c->idle && c->deadline_us != NEVER && !event_pending(&c->timer, EV_TIMEOUT, NULL);
    if (needs_timer && !arm(c, now)) {
        return; /* the next tick tries again */
    }
    TAILQ_REMOVE(&fibers->lively, c, others_lively);
    c->quiet = true;
    if (c->idle) {
        insert_idle(fibers, c);
    }
    stack_give_pages_back(c->fiber.stack, c->fiber.context);
}

/* Takes the fiber from where it waits quietly. */
static COLD void stir(struct fiber_connection *c)
{
    struct fibers *fibers = c->fibers;
    if (c->idle) {
        TAILQ_REMOVE(&fibers->idle, c, others_lively);
    }
    if (!fibers->ticking) {
        fibers_tick(fibers);
    }
    c->quiet = false;
    TAILQ_INSERT_TAIL(&fibers->lively, c, others_lively);
}

/* ---- waiting, in the fiber ---- */

static NOINLINE bool await_anew(struct fiber_connection *c, unsigned interest)
{
    if (c->interest != 0) {
        event_del(&c->socket);
    }
    c->interest = (uint8_t)interest;
    if (interest == 0) {
        return true;
    }
    event_assign(&c->socket, core_of(c)->base, c->fd, (short)(interest | EV_PERSIST), on_socket, c);
    return event_add(&c->socket, NULL) == 0;
}

/* Waits for events of the socket. Returns a set of enum woken; 0 if that is impossible. */
static unsigned await(struct fiber_connection *c, unsigned interest)
{
    if (unlikely(c->interest != interest) && !await_anew(c, interest)) {
        return 0;
    }
    c->seen = false;
    fiber_yield(&c->fiber);
    return c->woken;
}

/* The same until a deadline within a request. The next ticks start the timer of one that is far. */
static unsigned await_until(struct fiber_connection *c, unsigned interest, uint64_t now, uint64_t deadline)
{
    bool soon = deadline < now + UINT64_C(2000) * FIBERS_TICK_MS;
    c->deadline_us = deadline;
    if (unlikely(c->interest != interest) && !await_anew(c, interest)) {
        return 0;
    }
    if ((soon || c->precise) && !arm(c, now)) {
        return 0;
    }
    unsigned woken = await(c, interest);
    event_del(&c->timer);
    return woken;
}

/* ---- what conversation.h asks for ---- */

static struct context *conversation_context(struct fiber_connection *c)
{
    return &core_of(c)->context;
}

static void conversation_show(struct fiber_connection *c, enum activity activity)
{
    c->activity = (uint8_t)activity;
}

/* One read for each time that the socket is readable: then it is another connection's turn. */
static bool conversation_may_read(struct fiber_connection *c)
{
    bool readable = c->readable;
    c->readable = false;
    return readable;
}

static struct transfer conversation_receive(struct fiber_connection *c)
{
    struct reactor_core *core = core_of(c);
    return transport_receive(c->fd, core->input, pump_read_size(&core->context, REACTOR_INPUT_SIZE),
                             TRANSPORT_NO_WAIT);
}

static struct span conversation_bytes(struct fiber_connection *c, size_t length)
{
    return (struct span){.data = core_of(c)->input, .length = length};
}

/* Reads once in any case: bytes may have come while the loop was held up. */
static bool conversation_await_request(struct fiber_connection *c)
{
    unsigned woken = WOKEN_INTERRUPTED;
    c->activity = ACTIVITY_IDLE;
    if (likely(!core_of(c)->draining)) {
        c->idle = true;
        woken = await(c, EV_READ);
        c->idle = false;
        if (unlikely(woken == 0)) {
            return false;
        }
    }
    c->readable = false;
    c->activity = ACTIVITY_READING;
    struct transfer read = conversation_receive(c);
    bool silent = read.outcome == TRANSPORT_RETRY || read.outcome == TRANSPORT_INTERRUPTED;
    if (unlikely(silent) && (woken == WOKEN_TIMEOUT || core_of(c)->draining)) {
        return conversation_pump(c, woken == WOKEN_TIMEOUT ? IO_TIMEOUT : IO_SHUTDOWN, PUMP_NO_BYTES);
    }
    return conversation_take(c, read);
}

/* What the socket shows now: the time may be over only because the loop was held up. */
static unsigned look(const struct fiber_connection *c)
{
    struct pollfd socket = {.fd = c->fd,
                            .events = (short)(((c->interest & EV_READ) != 0 ? POLLIN : 0) |
                                              ((c->interest & EV_WRITE) != 0 ? POLLOUT : 0))};
    if (c->interest == 0 || poll(&socket, 1, 0) <= 0) {
        return WOKEN_TIMEOUT;
    }
    return (socket.revents & POLLOUT) != 0 && (socket.revents & POLLIN) == 0 ? WOKEN_WRITABLE
                                                                             : WOKEN_READABLE;
}

static enum conversation_event conversation_wait(struct fiber_connection *c, unsigned wants, int timeout_ms)
{
    unsigned interest =
        ((wants & WANT_READ) != 0 ? EV_READ : 0u) | ((wants & WANT_WRITE) != 0 ? EV_WRITE : 0u);
    uint64_t now = clock_us();
    uint64_t deadline = timeout_ms < 0 ? NEVER : now + (uint64_t)timeout_ms * 1000;
    c->precise = (wants & WANT_WAIT) != 0;
    unsigned woken = await_until(c, interest, now, deadline);
    if (woken == WOKEN_TIMEOUT) {
        woken = look(c);
    }
    c->readable = (woken & WOKEN_READABLE) != 0;
    return woken == 0 || woken == WOKEN_RESET ? CONVERSATION_BROKEN
           : woken == WOKEN_TIMEOUT           ? CONVERSATION_TIMEOUT
           : (woken & WOKEN_READABLE) != 0    ? CONVERSATION_GO_ON
           : (woken & WOKEN_WRITABLE) != 0    ? CONVERSATION_WRITABLE
                                              : CONVERSATION_GO_ON;
}

/* Without workers, the loop would stall: the mode always has some. */
static enum io_event conversation_run(struct fiber_connection *c, struct work *work)
{
    struct reactor_core *core = core_of(c);
    if (workers_submit(core->workers, work, &core->completions, c) != 0) {
        uint64_t now = clock_us();
        /* Others have their turn first: the client may have sent thousands of such requests. */
        await_until(c, 0, now, now);
        return IO_REJECTED;
    }
    c->working = true;
    c->deadline_us = NEVER;
    while ((await(c, 0) & WOKEN_DONE) == 0) {
    }
    c->working = false;
    return IO_RESUMED;
}

static bool conversation_is_closing(const struct fiber_connection *c)
{
    return core_of(c)->draining;
}

/* The loop's sweeps write them. */
static void conversation_flush_log(struct fiber_connection *c)
{
    if (unlikely(core_of(c)->draining)) {
        access_log_flush(conversation_context(c));
    }
}

/* ---- beginning and end ---- */

static void fiber_connection_main(void *arg)
{
    struct fiber_connection *c = arg;
    TRACE(fiber_begin, c->accepted.number, UINT64_C(0));
    c->since_ms = clock_ms();
    c->close_mode = (uint8_t)conversation_end(c, conversation_hold(c));
    TRACE(fiber_end, c->accepted.number, UINT64_C(0));
}

bool fiber_connection_new(struct fibers *fibers, const struct accepted *accepted)
{
    struct stack stack = stacks_take(&fibers->stacks);
    struct fiber_connection *c = (struct fiber_connection *)(void *)(stack.low + stack.size) - 1;
    c = (struct fiber_connection *)((uintptr_t)c & ~(uintptr_t)63);
    struct reactor_core *core = &fibers->reactor->core;
    c->fibers = fibers;
    c->server = fibers->server;
    c->accepted = *accepted;
    c->fd = accepted->fd;
    c->deadline_us = NEVER;
    c->interest = 0;
    c->activity = ACTIVITY_READING;
    c->idle = c->working = c->readable = c->precise = c->seen = false;
    c->quiet = true; /* until it runs */
    event_assign(&c->timer, core->base, -1, 0, on_timer, c);
    if (!await_anew(c, EV_READ)) {
        stacks_give(&fibers->stacks, stack);
        errno = ENOMEM;
        return false;
    }
    session_init(&c->session, accepted->number, &accepted->peer, REFUSAL_NOT);
    fiber_init(&c->fiber, stack, (char *)c, fiber_connection_main, c);
    TAILQ_INSERT_TAIL(&fibers->all, c, others);
    core->count++;
    fiber_connection_wake(c, WOKEN_INTERRUPTED);
    return true;
}

/* Frees all but the descriptor and the place among the connections. */
static void leave(struct fiber_connection *c)
{
    struct fibers *fibers = c->fibers;
    struct stack stack = c->fiber.stack;
    await_anew(c, 0);
    event_del(&c->timer);
    TAILQ_REMOVE(&fibers->all, c, others);
    if (!c->quiet) {
        TAILQ_REMOVE(&fibers->lively, c, others_lively);
    } else if (c->idle) {
        TAILQ_REMOVE(&fibers->idle, c, others_lively);
    }
    core_of(c)->count--;
    fiber_deinit(&c->fiber);
    stacks_give(&fibers->stacks, stack);
}

static void close_now(struct reactor_core *core, const struct accepted *accepted)
{
    TRACE(close, accepted->number, UINT64_C(0));
    connection_count_drop(core->connections);
    close(accepted->fd);
}

static COLD void finish(struct fiber_connection *c)
{
    struct reactor *reactor = c->fibers->reactor;
    struct accepted accepted = c->accepted;
    enum close_mode close_mode = (enum close_mode)c->close_mode;
    leave(c);
    switch (close_mode) {
    case CLOSE_LINGERING: reactor_linger(reactor, &accepted); break;
    case CLOSE_RESET:
        transport_reset(accepted.fd);
        close_now(&reactor->core, &accepted);
        break;
    case CLOSE_NOW:
    case CLOSE_ABORT: close_now(&reactor->core, &accepted); break;
    }
}

void fiber_connection_wake(struct fiber_connection *c, enum woken reason)
{
    if (unlikely(c->quiet)) {
        stir(c);
    }
    c->woken = (uint8_t)reason;
    fiber_resume(&c->fiber);
    if (unlikely(c->fiber.over)) {
        finish(c);
    }
}

void fiber_connection_drain(struct fiber_connection *c, bool cutting)
{
    if (!c->working && (cutting || session_drainable(&c->session))) {
        fiber_connection_wake(c, WOKEN_INTERRUPTED);
    }
}

void fiber_connection_free(struct fiber_connection *c)
{
    struct reactor_core *core = core_of(c);
    struct accepted accepted = c->accepted;
    session_log_abandoned(&c->session, &core->context);
    session_deinit(&c->session, core->context.output.budget);
    leave(c);
    close_now(core, &accepted);
}
