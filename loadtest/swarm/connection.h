/* SPDX-License-Identifier: MIT */
/* A connection: opened, asked, read from until its answer is whole, and so on. It tells its owner what happens. */
#ifndef ECHOD_SWARM_CONNECTION_H
#define ECHOD_SWARM_CONNECTION_H

#include <sys/queue.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "loadtest/swarm/settings/options.h"
#include "loadtest/swarm/http/request.h"
#include "loadtest/swarm/http/response.h"
#include "loadtest/swarm/stats/stats.h"

enum connection_state {
    CONNECTION_CLOSED,
    CONNECTION_CONNECTING,
    CONNECTION_IDLE,   /* open, nothing asked */
    CONNECTION_BUSY,   /* asked */
    CONNECTION_PARTING /* answered for the last time, waits for the server to close */
};

struct connection;

/* What a connection tells. None is called from within connection_open() or connection_ask(). */
struct connection_events {
    /* It stands, or it does not: then `why` says why not. Also before the request of one that was closed, if it
     * stands. */
    void (*opened)(struct connection *connection, const char *why);
    /* Its request has ended. */
    void (*settled)(struct connection *connection, const struct settled *settled);
    /* Its request has ended and it can be asked again; in the same turn, or once the server has closed it. */
    void (*ready)(struct connection *connection);
    /* It was idle, and the server closed it. */
    void (*lost)(struct connection *connection);
    /* Bytes went over the wire. */
    void (*moved)(struct connection *connection, size_t sent, size_t received);
};

/* What the connections of an owner have in common. */
struct plan {
    struct event_base *base;
    const struct options *options;
    const struct options_class *of;
    const struct request *request;
    const struct connection_events *events;
    void *owner;
    char *input; /* memory to read to, shared by all */
    size_t input_size;
};

struct connection {
    struct event socket;
    struct event timer;
    TAILQ_ENTRY(connection) others; /* the owner's, as are the next four */
    struct connection_list *list;
    uint64_t since;      /* when it came to that list */
    uint64_t free_since; /* when it became free */
    bool unlucky;        /* its last request failed */
    const struct plan *plan;
    struct response response;
    size_t number; /* over all owners */
    uint64_t due;  /* of its request: latency counts from here */
    uint64_t asked;
    size_t sent;
    int error;      /* of sending or connecting, not told yet */
    short interest; /* events of the socket waited for */
    bool asks;      /* a request is to be settled */
    enum connection_state state;
};

TAILQ_HEAD(connection_list, connection);

void connection_init(struct connection *connection, const struct plan *plan, size_t number);
/* Closes it; nothing is told. */
void connection_deinit(struct connection *connection);

/* A closed one: opens it. */
void connection_open(struct connection *connection);

/* One that is idle or closed, then it is opened first: sends the request, which was due at that instant. */
void connection_ask(struct connection *connection, uint64_t due);

/* Its time is over: ends whatever is going on. */
void connection_time_out(struct connection *connection);

/* One that is ready and is not asked at once: tells again that it is ready after so many nanoseconds. */
void connection_rest(struct connection *connection, uint64_t duration);

#endif
