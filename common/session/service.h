/* SPDX-License-Identifier: MIT */
/* What a server is and allows: set once at start-up, read by every session. */
#ifndef ECHOD_COMMON_SESSION_SERVICE_H
#define ECHOD_COMMON_SESSION_SERVICE_H

#include "common/http/fault.h"
#include "common/http/output.h"
#include "common/base/clock.h"
#include "common/base/peer.h"
#include "common/base/scoreboard.h"
#include "common/base/usage.h"

struct route;

/* The paths that a service answers (common/handlers/routes.h has those of echod), in static memory. */
struct routes {
    const struct route *rows; /* searched in this order; the last one has no handler */
    const char *not_found;    /* the detail of the 404 for all other paths */
};

/* What /echo does where a request does not say otherwise, in the form of its parameters (--default-…). */
struct defaults {
    struct span faults[FAULT_KINDS]; /* for fault_read; empty: none */
    const struct span *fields;       /* for asked_field_read */
    size_t field_count;
};

struct service {
    struct scoreboard *scoreboard;
    const char *mode;             /* "event" */
    const char *version;          /* echod's */
    const char *libevent_version; /* of the library in use */
    const char *hostname;
    void (*usage)(const struct scoreboard *scoreboard, struct usage *usage); /* NULL: unknown. Any thread */
    size_t max_header_size;
    uint64_t max_body_size;
    uint64_t max_delay_ms; /* the longest delay that a client can ask for */
    uint32_t max_requests; /* on one connection; 0: no limit */
    uint32_t fault_seed;   /* of the draws for shares of faults */
    struct routes routes;
    const struct defaults *defaults; /* NULL: none */
    const char *name;                /* --name; NULL: none */
    const char *const *listeners;    /* the names of the listeners, by their index in struct peer */
    /* Sets `*local` to the own address of a connected socket. Returns false if it is unknown. NULL: it always is. Any
     * thread. */
    bool (*local)(int socket, struct peer *local);
    /* How many bytes that were sent the peer's system does not have yet. NULL: it always has all. Any thread. */
    size_t (*undelivered)(int socket);
    /* The field lines of every answer, each with CRLF, and those of the answer to a CORS preflight: service_set_fields. */
    struct span fields;
    struct span preflight_fields;
    bool cors; /* --cors */
};

/* What has become of output that a driver sends after the pass. */
enum output_taken {
    OUTPUT_TAKEN, /* it counts as sent */
    OUTPUT_WAITS, /* it stays where it is: nothing can be sent now */
    OUTPUT_LEFT,  /* the pass sends it */
};
/* Sets `fields` and `preflight_fields`, as `cors` and `name`, of at most 64 bytes, ask for. `memory`, of
 * SERVICE_FIELDS_SIZE bytes, must outlive the service. Before the first session. */
enum { SERVICE_FIELDS_SIZE = 1024 };
void service_set_fields(struct service *service, char memory[SERVICE_FIELDS_SIZE]);

/* The context of a thread or a loop: scratch memory, a clock, the date as text, counters. Its owner lends it to one
 * session at a time; nothing that a session keeps in it outlives session_leave. One thread at a time. */
struct context {
    const struct service *service;
    struct counters *counters;  /* lent to it */
    struct pass *pass;          /* the session's own working state, at the head of the scratch memory */
    struct log *log;            /* the access log; NULL: off. Then `adds_common_fields` is set too */
    uint64_t (*clock_us)(void); /* monotonic */
    /* The time at which the session was entered; set only if its request has outlived a pass, or with `log`. */
    uint64_t now_us;
    struct output output; /* its scratch memory and its budget are the context's */
    /* The date a session writes: the driver keeps it fresh. */
    char date[SCOREBOARD_DATE_WORDS * 8];
    size_t undecided; /* see session_undecided; 0: nothing is */
    bool
        holds_output; /* a driver that takes output has some of the session's that the socket does not have */
    /* Set by a driver that sends after the pass: takes bytes of the output, all or none. NULL: the pass sends. */
    enum output_taken (*take_output)(struct context *context, struct span bytes);
    int socket; /* of the session that has entered; only the functions of the service use it */
    bool
        adds_common_fields; /* answers have fields that the request does not ask for: see exchange_add_common_fields */
    bool yield_when_unserved; /* answers close their connection while others wait for a worker in vain */
    uint32_t date_sequence;   /* of clock_read_date */
};

/* Whether answers must close their connections, because other connections wait and no worker is free (mode pool). */
static inline bool context_must_yield(const struct context *context)
{
    return context->yield_when_unserved &&
           atomic_load_explicit(&context->service->scoreboard->unserved, memory_order_relaxed) > 0;
}

/* Whether answers must say `Connection: close` now. */
static inline bool context_closing(const struct context *context)
{
    return scoreboard_draining(context->service->scoreboard) || context_must_yield(context);
}

/* The size of the part of the scratch memory that holds the pass; the rest is for the output. */
enum { CONTEXT_PASS_SIZE = 960 };

/* Sets the context up with scratch memory that the caller owns, aligned as malloc aligns; `counters` are lent to the
 * context. */
static inline void context_init(struct context *context, const struct service *service,
                                struct counters *counters, char *scratch, size_t scratch_size)
{
    *context = (struct context){
        .service = service,
        .counters = counters,
        .clock_us = clock_us,
        .adds_common_fields = service->fields.length > 0,
        .pass = (struct pass *)(void *)scratch,
        .output = {.scratch = scratch + CONTEXT_PASS_SIZE,
                   .scratch_size = scratch_size - CONTEXT_PASS_SIZE,
                   .budget = {.scoreboard = service->scoreboard, .counters = counters}},
    };
}

#endif
