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

/* The events of a connection. None but `moved` is called from within connection_open() or connection_ask(). */
struct connection_events {
    /* The connection was established, or it was not: then `why` says why. Also called before the request of a
     * connection that was closed, if it was then established. */
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
/* Closes the connection without calling an event. */
void connection_deinit(struct connection *connection);

/* Opens a closed connection. */
void connection_open(struct connection *connection);

/* Sends the request, which was due at `due`, on an idle connection, or on a closed one, which is opened first. */
void connection_ask(struct connection *connection, uint64_t due);

/* Ends the present state of a connection that is connecting, asked or parting, because its time is over. */
void connection_time_out(struct connection *connection);

/* For a connection that is ready and is not asked at once: calls `ready` again after `duration` nanoseconds. */
void connection_rest(struct connection *connection, uint64_t duration);

#endif
