/* SPDX-License-Identifier: MIT */
/* What all threads, loops and processes of one server share: its state, its memory budget, the date, and counters. */
#ifndef ECHOD_COMMON_BASE_SCOREBOARD_H
#define ECHOD_COMMON_BASE_SCOREBOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Why somebody was told to come back later. */
enum refusal {
    REFUSAL_NOT,
    REFUSAL_FULL,   /* --max-connections */
    REFUSAL_QUEUE,  /* --queue */
    REFUSAL_MEMORY, /* --max-buffer-memory */
    REFUSAL_SYSTEM, /* the system had no thread, process or memory for a connection more */
    REFUSAL_KINDS,
};

enum {
    COUNTERS_CLASSES = 4,  /* answers of 2xx, 3xx, 4xx, 5xx */
    COUNTERS_BUCKETS = 12, /* of the durations of requests, see counters_bounds_us */
};

/* What the owner of the counters does: a connection's thread or process, or a worker. For a report (SIGUSR1), and to wake
 * those that are idle. */
enum activity {
    ACTIVITY_NONE,      /* nobody has the counters, or it is a worker that has nothing to do */
    ACTIVITY_QUEUED,    /* of connections only: waits for a worker */
    ACTIVITY_IDLE,      /* between requests */
    ACTIVITY_READING,   /* inside a request, or at work that takes no time */
    ACTIVITY_SENDING,   /* an answer that the client does not take at once */
    ACTIVITY_WAITING,   /* as a handler asked */
    ACTIVITY_WORKING,   /* computes or blocks */
    ACTIVITY_LINGERING, /* its answers are out, the client's last bytes are awaited */
    ACTIVITY_KINDS,
};

/* One writer each (the thread, loop or process it was lent to), any number of readers: relaxed loads and stores
 * suffice, and none of them is a locked instruction. Counters only grow; counters that are lent again go on counting. */
struct counters {
    _Alignas(64) _Atomic uint64_t answers[COUNTERS_CLASSES]; /* begun */
    _Atomic uint64_t received;                               /* bytes */
    _Atomic uint64_t sent;                                   /* bytes */
    _Atomic uint64_t connections;                            /* begun */
    _Atomic uint64_t held;                        /* bytes its sessions have taken from the budget */
    _Atomic uint64_t durations[COUNTERS_BUCKETS]; /* requests that took longer than one pass, by duration */
    _Atomic uint64_t duration_us;                 /* the sum of those */
    _Atomic uint64_t refusals[REFUSAL_KINDS];
    _Atomic uint64_t busy_us;            /* of a worker */
    _Atomic uint64_t log_lines;          /* of the access log, written */
    _Atomic uint64_t log_lost;           /* those for which there was no room */
    _Atomic uint64_t lingering_since_ms; /* when the connection that has lingered longest began to; 0: none */
    _Atomic bool place_wanted;           /* that one shall give way; its owner clears it */
    _Atomic uint8_t activity;            /* enum activity */
    _Atomic int32_t process; /* the process id of a child that serves with these counters, else 0 */
};

enum { SCOREBOARD_DATE_WORDS = 4 }; /* the 29 bytes of an IMF-fixdate, padded */

/* No server serves more connections at once: each may need counters of its own. */
#define SCOREBOARD_CONNECTIONS_MAX 10000000u

/* Lives in one anonymous shared mapping, so that child processes count in it too. */
struct scoreboard {
    /* SIGTERM came: the last answer of each connection says `Connection: close`, and /readyz 503. */
    _Atomic bool draining;
    _Atomic bool closing; /* no more connections come: those that are idle end (process mode) */
    _Atomic bool cutting; /* the drain timeout is over: what has not ended by itself is cut off */
    /* No further connection would be served, /readyz says 503: */
    _Atomic bool full;       /* --max-connections are open; the acceptor writes */
    _Atomic bool queue_full; /* --queue connections wait (pool) */
    _Atomic int shortage; /* the errno of the last attempt to get what a connection needs; 0: it succeeded */
    _Atomic uint32_t date_sequence;
    _Atomic uint64_t date_words[SCOREBOARD_DATE_WORDS];
    _Alignas(64) _Atomic uint64_t held; /* bytes held for all connections */
    uint64_t held_limit;                /* --max-buffer-memory; constant after creation */
    _Atomic uint32_t log_generation;    /* of the access log's file: grows when it is to be opened anew */
    _Atomic uint64_t log_said_ms;       /* when somebody last said that lines are lost; 0: never */
    _Atomic bool log_jammed;            /* nobody reads it: not waited for */
    _Atomic bool log_torn;              /* the last write ended inside a line */
    _Atomic int64_t queued;             /* pieces of work, or connections, that wait for a worker */
    _Atomic int64_t unserved;           /* those of them that no free worker is about to take */
    _Alignas(64) _Atomic uint64_t open; /* connections accepted and not closed yet */
    _Atomic uint64_t lingering;         /* those of them that only linger */
    _Atomic uint64_t crashed;           /* processes that ended otherwise than they should */
    _Atomic uint64_t cut_off;           /* connections, by the drain timeout */
    _Atomic uint64_t reaped_cpu_us;     /* of children that were reaped; the parent writes */
    _Atomic uint64_t reaped_voluntary;
    _Atomic uint64_t reaped_involuntary;
    int process; /* the parent's process id where connections have processes, else 0; constant */
    _Atomic size_t counters_claimed; /* counters from here on were never used */
    size_t counters_count;           /* constant after creation */
    size_t mapping_size;
    struct counters counters[];
};

/* Makes the mapping with so many sets of counters, all zero; NULL with errno set if there is no memory. Main thread. */
struct scoreboard *scoreboard_new(size_t count, uint64_t held_limit);
/* Takes NULL. No other thread may still use it. */
void scoreboard_free(struct scoreboard *scoreboard);

static inline void counters_add(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

/* The upper bounds of the buckets of durations, in microseconds; the last bucket has none. */
extern const uint64_t counters_bounds_us[COUNTERS_BUCKETS - 1];

/* Counts the duration of a request that outlived one pass. Only the thread that writes the counters. */
void counters_add_duration(struct counters *counters, uint64_t us);

static inline void counters_show(struct counters *counters, enum activity activity)
{
    atomic_store_explicit(&counters->activity, activity, memory_order_release);
}

static inline enum activity counters_activity(const struct counters *counters)
{
    return (enum activity)atomic_load_explicit(&counters->activity, memory_order_acquire);
}

static inline bool scoreboard_draining(const struct scoreboard *scoreboard)
{
    return atomic_load_explicit(&scoreboard->draining, memory_order_relaxed);
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
