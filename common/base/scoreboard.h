/* SPDX-License-Identifier: MIT */
/* The scoreboard: one mapping that all threads, loops and processes of a server share. It holds the server's state, its
 * memory budget, the date, and the counters. */
#ifndef ECHOD_COMMON_BASE_SCOREBOARD_H
#define ECHOD_COMMON_BASE_SCOREBOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Why a client is told to try again later. */
enum refusal {
    REFUSAL_NOT,
    REFUSAL_FULL,   /* --max-connections */
    REFUSAL_QUEUE,  /* --queue */
    REFUSAL_MEMORY, /* --max-buffer-memory */
    REFUSAL_SYSTEM, /* the system had no thread, process or memory for another connection */
    REFUSAL_KINDS,
};

enum {
    COUNTERS_CLASSES = 4,  /* answers of 2xx, 3xx, 4xx, 5xx */
    COUNTERS_BUCKETS = 12, /* of request durations, see counters_bounds_us */
    COUNTERS_FAULTS = 8,   /* by name of the fault: common/http/fault.h */
};

/* What the owner of counters (the thread or process of a connection, or a worker) does now. Used for the report
 * (SIGUSR1), and to find the threads and processes that a signal must interrupt. */
enum activity {
    ACTIVITY_NONE,      /* the counters are unused, or their worker is free */
    ACTIVITY_QUEUED,    /* only for connections: waits for a worker */
    ACTIVITY_IDLE,      /* between requests */
    ACTIVITY_READING,   /* reads a request, or answers it without delay */
    ACTIVITY_SENDING,   /* sends an answer that the client does not take at once */
    ACTIVITY_WAITING,   /* a handler has asked for a delay */
    ACTIVITY_WORKING,   /* computes or blocks */
    ACTIVITY_LINGERING, /* has sent its answers; reads what the client still sends */
    ACTIVITY_KINDS,
};
/* "free", "queued" and so on, by enum activity. */
extern const char *const activity_names[ACTIVITY_KINDS];

/* The counters of one owner: the thread, loop or process to which they are lent. Only the owner writes them, or the
 * parent of a child process that has ended; exceptions are stated. Any thread may read them. So relaxed loads and
 * stores suffice, and no instruction is locked. The counters are not reset when they are lent again. */
struct counters {
    _Alignas(64) _Atomic uint64_t answers[COUNTERS_CLASSES]; /* begun */
    _Atomic uint64_t received;                               /* bytes */
    _Atomic uint64_t sent;                                   /* bytes */
    _Atomic uint64_t connections;                            /* begun */
    _Atomic uint64_t held;                                   /* bytes of the budget that its sessions hold */
    _Atomic uint64_t durations[COUNTERS_BUCKETS]; /* requests that took longer than one pass, by duration */
    _Atomic uint64_t duration_us;                 /* the sum of those */
    _Atomic uint64_t refusals[REFUSAL_KINDS];
    _Atomic uint64_t busy_us;   /* of a worker */
    _Atomic uint64_t log_lines; /* written to the access log */
    _Atomic uint64_t log_lost;  /* lines for which there was no room */
    /* When its longest lingering connection began to linger, in ms of clock_ms; 0: none lingers. */
    _Atomic uint64_t lingering_since_ms;
    /* That connection shall close to make room for a new one. The acceptor sets it, the owner clears it. */
    _Atomic bool place_wanted;
    _Atomic uint8_t activity; /* enum activity */
    /* The process id of the child that owns the counters, else 0. The parent writes it. */
    _Atomic int32_t process;
    _Atomic uint64_t bad_proxy_headers; /* connections closed for one */
};

/* What an owner counts rarely, apart from the rest: memory that nobody has written or read takes no space. */
struct rare_counters {
    _Alignas(64) _Atomic uint64_t faults[COUNTERS_FAULTS]; /* carried out for /echo */
};

enum { SCOREBOARD_DATE_WORDS = 4 }; /* the 29 bytes of an IMF-fixdate, padded */

/* The most connections that a server serves at once: each may need its own counters. */
#define SCOREBOARD_CONNECTIONS_MAX 10000000u

/* In one anonymous shared mapping, so that child processes use the same one. */
struct scoreboard {
    /* The drain has begun: the last answer of each connection says `Connection: close`, and /readyz says 503. */
    _Atomic bool draining;
    _Atomic bool closing; /* no new connections will come: idle ones and streams of events end */
    _Atomic bool cutting; /* the drain timeout is over: remaining connections are cut off */
    /* With one of the next three, another connection would not be served, and /readyz says 503. */
    _Atomic bool full;       /* --max-connections are open; the acceptor writes it */
    _Atomic bool queue_full; /* --queue connections wait (mode pool) */
    _Atomic int shortage;    /* the errno of the last attempt to serve a connection; 0: it succeeded */
    _Atomic uint32_t date_sequence;
    _Atomic uint64_t date_words[SCOREBOARD_DATE_WORDS];
    _Atomic uint64_t date_ms; /* when that was written, by clock_ms: in a core, nothing else tells the time */
    _Alignas(64) _Atomic uint64_t held;      /* bytes taken from the budget, for all connections */
    uint64_t held_limit;                     /* --max-buffer-memory; constant */
    _Atomic uint32_t log_generation;         /* grows when the access log is reopened */
    _Atomic uint64_t log_said_ms;            /* when the loss of log lines was last reported; 0: never */
    _Atomic bool log_jammed;                 /* nobody reads the access log: nothing waits for its reader */
    _Atomic bool log_torn;                   /* the last write to the access log ended within a line */
    _Atomic int64_t queued;                  /* connections, or pieces of work, that wait for a worker */
    _Atomic int64_t unserved;                /* in mode pool: those for which no worker is free */
    _Alignas(64) _Atomic uint64_t open;      /* connections accepted and not yet closed */
    _Atomic uint64_t lingering;              /* the lingering ones among them */
    _Atomic bool census_asked;               /* somebody has read /metrics; the acceptor clears it */
    _Atomic bool census_known;               /* `census` is at most a second or two old */
    _Atomic uint64_t census[ACTIVITY_KINDS]; /* the connections by what they do */
    _Atomic uint64_t crashed;                /* child processes that a signal or an error ended */
    _Atomic uint64_t cut_off;                /* connections that the drain timeout has cut off */
    /* The resources used by children that were reaped; the parent writes them. */
    _Atomic uint64_t reaped_cpu_us;
    _Atomic uint64_t reaped_voluntary;   /* context switches */
    _Atomic uint64_t reaped_involuntary; /* context switches */
    int process; /* mode process: the parent's process id, set before the first connection; else 0 */
    _Atomic size_t counters_claimed; /* the counters from this index on were never used */
    size_t counters_count;           /* constant */
    size_t mapping_size;             /* bytes; constant */
    struct rare_counters *rare;      /* behind the counters, one for each; constant */
    _Atomic bool rare_used;          /* some owner has counted there: until then nobody need read it */
    struct counters counters[];
};

/* Returns a scoreboard with `count` counters, all zero, and a budget of `held_limit` bytes. Returns NULL with errno
 * set if there is no memory. The caller owns it. Main thread. */
struct scoreboard *scoreboard_new(size_t count, uint64_t held_limit);
/* Frees the scoreboard, which no other thread may use any more; takes NULL. Main thread. */
void scoreboard_free(struct scoreboard *scoreboard);

/* Adds `n` to a counter that only the calling thread writes. */
static inline void counters_add(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

/* Returns the rare counters of the owner of `counters`. Any thread. */
static inline struct rare_counters *counters_rare(const struct scoreboard *scoreboard,
                                                  const struct counters *counters)
{
    return &scoreboard->rare[counters - scoreboard->counters];
}

/* The upper bounds of the buckets of durations, in microseconds; the last bucket has none. */
extern const uint64_t counters_bounds_us[COUNTERS_BUCKETS - 1];

/* Counts the duration, `us` microseconds, of a request that took longer than one pass. The owner. */
void counters_add_duration(struct counters *counters, uint64_t us);

/* Publishes what the owner does now, with everything that it wrote before. The owner. */
static inline void counters_show(struct counters *counters, enum activity activity)
{
    atomic_store_explicit(&counters->activity, activity, memory_order_release);
}

/* Returns what counters_show has published last. Any thread. */
static inline enum activity counters_activity(const struct counters *counters)
{
    return (enum activity)atomic_load_explicit(&counters->activity, memory_order_acquire);
}

/* The members of these names. Any thread. */

static inline bool scoreboard_draining(const struct scoreboard *scoreboard)
{
    return atomic_load_explicit(&scoreboard->draining, memory_order_relaxed);
}

static inline bool scoreboard_closing(const struct scoreboard *scoreboard)
{
    return atomic_load_explicit(&scoreboard->closing, memory_order_relaxed);
}

static inline bool scoreboard_cutting(const struct scoreboard *scoreboard)
{
    return atomic_load_explicit(&scoreboard->cutting, memory_order_relaxed);
}

static inline bool scoreboard_full(const struct scoreboard *scoreboard)
{
    return atomic_load_explicit(&scoreboard->full, memory_order_relaxed);
}

static inline bool scoreboard_queue_full(const struct scoreboard *scoreboard)
{
    return atomic_load_explicit(&scoreboard->queue_full, memory_order_relaxed);
}

static inline int scoreboard_shortage(const struct scoreboard *scoreboard)
{
    return atomic_load_explicit(&scoreboard->shortage, memory_order_relaxed);
}

#endif
